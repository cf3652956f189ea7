package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strconv"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"
)

// Refiler files finished documents under the types that persons choose, whether the
// daemon runs or not. If it is killed between two steps, the next command, or the daemon,
// finishes the rest:
//
//	the decision and the place are stored   the document is as it was
//	the file is moved
//	its sidecar is written, the old one removed
//	the folders are synced
//	the document is stored as filed
type Refiler struct {
	Store   *store.Store
	Mover   *filing.Mover
	Inbox   string // absolute
	Sorted  string // absolute
	Folders filing.Folders
	Sidecar bool // filed documents have one
	Logger  *slog.Logger
	OnStep  func(Step) // nil: none; only tests set it
}

func (p *Pipeline) refiler() Refiler {
	return Refiler{p.Store, p.Mover, p.Inbox, p.Sorted, p.Folders, p.Sidecar, p.Logger, p.OnStep}
}

func (r Refiler) step(s Step) {
	if r.OnStep != nil {
		r.OnStep(s)
	}
}

// Refile files a document under a type and returns its place, relative to Sorted. A
// document that lies in the folder of the type stays there. [ErrMoved]: its file is not
// where it should be; nothing was changed.
func (r Refiler) Refile(ctx context.Context, doc store.Document, kind string) (place string, err error) {
	d := store.Decision{ID: doc.ID, Type: kind, Sorted: r.Sorted}
	if doc.PutBack != "" { // that was interrupted
		if done, err := resumePutBack(ctx, r.Mover, &doc, r.Inbox); err != nil || done {
			return "", cmp.Or(err, ErrMoved)
		}
	}
	id, sum, err := readFile(doc.Sorted, doc.Target, func(*os.File, filing.Identity) bool { return true })
	if err != nil {
		return "", err
	}
	d.Identity, d.SHA256 = store.Identity(id), sum // a person may have changed the file
	taken := make(map[string]bool)
	for name := path.Base(doc.Target); len(taken) < nameTries; {
		if d.Target, err = r.place(&doc, kind, name, taken); err != nil {
			return "", err
		}
		if err = r.Store.Deciding(ctx, d); err == nil {
			r.step(DecisionStored)
			err = r.move(ctx, &doc, d)
		}
		switch {
		case errors.Is(err, filing.ErrName) && filing.NextName(name) != name:
			name = filing.NextName(name)
		case errors.Is(err, store.ErrTaken), errors.Is(err, fs.ErrExist):
			taken[d.Target] = true
		case err != nil:
			return "", errors.Join(err, r.giveUp(ctx, &doc, d))
		default:
			return d.Target, r.finish(ctx, &doc, d)
		}
	}
	return "", errors.Join(errNames, r.Store.Undecided(ctx, doc.ID))
}

// Finish finishes decisions whose command was killed. The error of one does not keep it
// from the others.
func (r Refiler) Finish(ctx context.Context, all []store.Decision) error {
	var errs []error
	for _, d := range all {
		if err := r.resume(ctx, d); err != nil {
			errs = append(errs, fmt.Errorf("document %d: %w", d.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (r Refiler) resume(ctx context.Context, d store.Decision) error {
	doc, err := r.Store.Document(ctx, d.ID)
	if err != nil {
		return err
	}
	if isPlaced(&doc, d) {
		return r.finish(ctx, &doc, d)
	}
	outcome, err := r.Mover.Resume(ctx, refileMove(&doc, d))
	switch {
	case err != nil:
		return err
	case outcome == filing.Done:
		return r.finish(ctx, &doc, d)
	case outcome == filing.Lost:
		return r.Store.Undecided(ctx, d.ID)
	}
	_, err = r.Refile(ctx, doc, d.Type)
	if errors.Is(err, ErrMoved) {
		err = r.Store.Undecided(ctx, d.ID)
	}
	return err
}

// isPlaced reports whether the file of a document lies where a decision puts it.
func isPlaced(doc *store.Document, d store.Decision) bool {
	return doc.Sorted == d.Sorted && doc.Target == d.Target
}

// place returns where a document of a type goes: it stays where it is, if that is the
// folder of the type.
func (r Refiler) place(doc *store.Document, kind, name string, taken map[string]bool) (string, error) {
	t := targets{r.Mover, r.Sorted, func(name string) string { return r.Folders.Path(name, doc.DiscoveredAt.Local()) }}
	folder, err := t.folder(kind)
	if err != nil {
		return "", err
	}
	if doc.Sorted == r.Sorted && path.Dir(doc.Target) == folder {
		return doc.Target, nil
	}
	var companions []string
	if r.Sidecar {
		companions = []string{answerSuffix}
	}
	return t.free(folder, name, companions, taken)
}

func refileMove(doc *store.Document, d store.Decision) filing.Move {
	return filing.Move{
		Root: doc.Sorted, Source: doc.Target, Identity: filing.Identity(d.Identity), SHA256: d.SHA256,
		Sorted: d.Sorted, Target: d.Target, Tag: "refile-" + strconv.FormatInt(doc.ID, 10),
	}
}

func (r Refiler) move(ctx context.Context, doc *store.Document, d store.Decision) error {
	if isPlaced(doc, d) {
		return nil
	}
	err := moveOrCopy(ctx, r.Mover, refileMove(doc, d))
	if err == nil {
		r.step(Refiled)
	}
	return err
}

// giveUp forgets a decision whose move failed, unless the file may be on its way.
func (r Refiler) giveUp(ctx context.Context, doc *store.Document, d store.Decision) error {
	if isPlaced(doc, d) {
		return r.Store.Undecided(ctx, d.ID)
	}
	outcome, err := r.Mover.Resume(ctx, refileMove(doc, d))
	if err != nil || outcome == filing.Done {
		return err // the next command, or the daemon, goes on with it
	}
	return r.Store.Undecided(ctx, d.ID)
}

// finish stores that a document is filed where its file lies, after its sidecars.
func (r Refiler) finish(ctx context.Context, doc *store.Document, d store.Decision) error {
	filed := decided(*doc, d)
	s := sidecars{r.Mover, r.Sidecar, r.Logger}
	old := *doc
	for range 2 { // where it was, and where whoever moved the document by hand may have put it
		if err := removeSidecar(&old); err != nil {
			return err
		}
		old.Sorted, old.Target = d.Sorted, d.Target
	}
	if err := s.write(&filed); err != nil {
		return err
	}
	r.step(SidecarsChanged)
	folders := []filing.File{{Root: filed.Sorted, Rel: filed.Target}, {Root: doc.Sorted, Rel: doc.Target}}
	if err := errors.Join(r.Mover.SyncFoldersOf(folders)...); err != nil {
		return err
	}
	err := r.Store.Decided(ctx, filed)
	r.step(DecidedStored)
	return err
}

// AsIdentified returns the type that the service itself named for a document, and whether
// that is known. After a decision of a person for another type it is the first alternative.
func AsIdentified(doc *store.Document) (is docutray.Type, known bool) {
	if doc.Type != "" && doc.Rated() {
		return docutray.Type{Code: doc.Type, Confidence: doc.Confidence}, true
	}
	var all []docutray.Type
	if json.Unmarshal(doc.Alternatives, &all) != nil || len(all) == 0 {
		return is, false
	}
	return all[0], true
}

// decided returns a document as it is after a decision. What the service answered stays
// known.
func decided(doc store.Document, d store.Decision) store.Document {
	is, known := AsIdentified(&doc)
	same := known && is.Code == d.Type
	if known && !(same && doc.Alternatives == nil) {
		var all []docutray.Type
		_ = json.Unmarshal(doc.Alternatives, &all)
		all = slices.DeleteFunc(all, func(t docutray.Type) bool { return t.Code == is.Code })
		doc.Alternatives, _ = json.Marshal(append([]docutray.Type{is}, all...))
	}
	if doc.Confidence = 0; same {
		doc.Confidence = is.Confidence
	}
	doc.Type, doc.DecidedAt, doc.State, doc.Outcome, doc.Error = d.Type, time.Now(), store.Filed, store.Filed, ""
	doc.Sorted, doc.Target, doc.Identity, doc.SHA256 = d.Sorted, d.Target, d.Identity, d.SHA256
	return doc
}
