package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"docusort/pipeline/filing"
)

// moves moves a small file from the inbox to sorted, as the daemon moves documents, and
// removes it. The folders that it makes for that have a name that watchers leave alone.
func (d Doctor) moves(ctx context.Context) []Result {
	if accessible(d.Inbox) != nil || accessible(d.Sorted) != nil || d.foreign() {
		return nil // reported for the folders themselves
	}
	from, err := os.MkdirTemp(d.Inbox, strings.TrimSuffix(filing.Temporaries, "*")+"doctor-")
	if err != nil {
		return []Result{Wrong("moves", "no folder can be made in the inbox: %v", err)}
	}
	folder := filepath.Base(from)
	copied, err := d.tryMove(ctx, filepath.Join(folder, "scan.pdf"))
	for _, root := range []string{d.Inbox, d.Sorted} {
		_ = os.Remove(filepath.Join(root, folder, "scan.pdf"))
		_ = os.Remove(filepath.Join(root, folder))
	}
	switch {
	case err != nil:
		return []Result{Wrong("moves", "a file cannot be moved from the inbox to sorted: %v", err)}
	case copied:
		return []Result{OK("moves", "each move will be a copy, which is slower: inbox and sorted are on different mounts, or cannot rename without overwriting")}
	}
	return []Result{OK("moves", "inbox and sorted are on one filesystem")}
}

// tryMove makes a file in the inbox and moves it to the same place in sorted.
func (d Doctor) tryMove(ctx context.Context, name string) (copied bool, err error) {
	file := filepath.Join(d.Inbox, name)
	if err := os.WriteFile(file, []byte("a file of docusort doctor"), 0o600); err != nil {
		return false, err
	}
	info, err := os.Lstat(file)
	if err != nil {
		return false, err
	}
	mover := filing.NewMover(filing.Options{})
	if err := mover.MakeFolder(d.Sorted, filepath.Dir(name)); err != nil {
		return false, err
	}
	id, _ := filing.IdentityOf(info)
	mv := filing.Move{Root: d.Inbox, Source: name, Identity: id, Sorted: d.Sorted, Target: name, Tag: "doctor"}
	err = mover.Do(ctx, mv)
	if errors.Is(err, filing.ErrNeedsCopy) {
		return true, mover.Copy(ctx, mv)
	}
	return false, err
}
