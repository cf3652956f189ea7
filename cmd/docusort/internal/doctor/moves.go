package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/pipeline/filing"
)

// awkward are names that some filesystems do not take.
var awkward = []string{"scan.pdf", "a:b.pdf", "dot.", "Müller.pdf", "M\xfcller.pdf", strings.Repeat("n", 251) + ".pdf"}

// moves moves a small file of each awkward name from the inbox to sorted, as the daemon
// moves documents, and removes it. The folders that it makes for that have a name that
// watchers leave alone.
func (d Doctor) moves(ctx context.Context) []Result {
	if accessible(d.Inbox) != nil || accessible(d.Sorted) != nil || d.foreign() {
		return nil // reported for the folders themselves
	}
	from, err := os.MkdirTemp(d.Inbox, strings.TrimSuffix(filing.Temporaries, "*")+"doctor-")
	if err != nil {
		return []Result{Wrong("moves", "no folder can be made in the inbox: %v", err)}
	}
	defer os.Remove(from)
	folder := filepath.Base(from)
	to := filepath.Join(d.Sorted, folder)
	defer os.Remove(to)
	copies := false
	var changed []string
	for _, name := range awkward {
		if os.WriteFile(filepath.Join(from, name), []byte(name), 0o600) != nil {
			continue // no document of the inbox has such a name
		}
		copied, err := d.tryMove(ctx, folder, name)
		os.Remove(filepath.Join(from, name))
		entries, _ := os.ReadDir(to)
		for _, e := range entries {
			os.Remove(filepath.Join(to, e.Name()))
		}
		switch {
		case err != nil:
			return []Result{Wrong("moves", "a file cannot be moved from the inbox to sorted: %v", err)}
		case len(entries) == 1 && entries[0].Name() != name:
			changed = append(changed, fmt.Sprintf("%s becomes %s", shorten(name), shorten(entries[0].Name())))
		}
		copies = copies || copied
	}
	text := "inbox and sorted are on one filesystem"
	if copies {
		text = "each move will be a copy, which is slower: inbox and sorted are on different mounts, or cannot rename without overwriting"
	}
	if len(changed) > 0 {
		text += "; sorted does not take every name: " + strings.Join(changed, ", ")
	}
	return []Result{OK("moves", "%s", text)}
}

func shorten(name string) string { return display.CutMiddle(display.Name(name), 24) }

// tryMove moves a file from a folder in the inbox to one in sorted, under a safe name
// where its own is refused.
func (d Doctor) tryMove(ctx context.Context, folder, name string) (copied bool, err error) {
	info, err := os.Lstat(filepath.Join(d.Inbox, folder, name))
	if err != nil {
		return false, err
	}
	id, _ := filing.IdentityOf(info)
	mover := filing.NewMover(filing.Options{})
	if err := mover.MakeFolder(d.Sorted, folder); err != nil {
		return false, err
	}
	for wanted, tries := name, 0; tries < 3; wanted, tries = filing.NextName(wanted), tries+1 {
		target, err := filing.FreeName(filepath.Join(d.Sorted, folder), wanted, nil, nil)
		if err != nil {
			return copied, err
		}
		mv := filing.Move{Root: d.Inbox, Source: filepath.Join(folder, name), Identity: id, Sorted: d.Sorted,
			Target: filepath.Join(folder, target), Tag: "doctor"}
		err = mover.Do(ctx, mv)
		if errors.Is(err, filing.ErrNeedsCopy) {
			copied, err = true, mover.Copy(ctx, mv)
		}
		if !errors.Is(err, filing.ErrName) {
			return copied, err
		}
	}
	return copied, filing.ErrName
}
