package pipeline

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"
)

// A document that is filed or in review may be asked about anew. Its file stays where it
// is until there is another answer, and for good where there is none.

// errChangedSince: there is no answer for what it is now, which it could keep.
var errChangedSince = errors.New("its file was changed; refile says what it is, and in the inbox it is asked about as a document of its own")

var errNotTaken = errors.New("the service takes no such file: it is empty, too large, or of a format that cannot be identified")

// AskAnew lets the daemon ask the service anew about a document that is filed or in review,
// which is paid for. [ErrMoved]: its file is not where it should be; nothing was changed.
func (r Refiler) AskAnew(ctx context.Context, doc store.Document) error {
	id, sum, err := readFile(doc.Sorted, doc.Target, func(*os.File, filing.Identity) bool { return true })
	if err != nil {
		return err
	}
	if doc.Sorted != r.Sorted {
		return fmt.Errorf("it lies in %s, which is not the sorted folder any more", doc.Sorted)
	}
	if doc.ContentType == "" || id.Size == 0 || id.Size > docutray.MaxFileSize {
		return errNotTaken // what a person filed may be anything
	}
	if !bytes.Equal(sum, doc.SHA256) {
		return errChangedSince
	}
	err = r.Store.AskAnew(ctx, doc.ID, store.Identity(id))
	r.step(AnewStored)
	return err
}

// placeOf returns where the file of an unfinished document lies.
func placeOf(inbox string, d *store.Document) (root, rel string) {
	if d.StaysAt != "" {
		return d.Sorted, d.StaysAt
	}
	return inbox, d.Source
}

// isInPlace reports whether a document that was asked about anew has the place already that
// it gets.
func isInPlace(d *store.Document) bool { return d.StaysAt != "" && d.Target == d.StaysAt }

// removeEarlier removes the sidecar with the earlier answer of a document that was asked
// about anew. What was in it is not known any more, so it is recognised by the document
// that it names.
func removeEarlier(d *store.Document) error {
	name := d.StaysAt + answerSuffix
	f, _, err := filing.Open(d.Sorted, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, filing.ErrNotRegular) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var s sidecar
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil || json.Unmarshal(text, &s) != nil || s.Source != nameText(d.Source) || s.SHA256 != hex.EncodeToString(d.SHA256) {
		return err
	}
	if now, err := sidecarText(d); err != nil || d.Target == d.StaysAt && string(now) == string(text) {
		return err // it was written before the daemon was killed
	}
	return removeBeside(d, name)
}
