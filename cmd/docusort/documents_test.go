package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"

	"docusort/testdata"
)

// Words by which the stand-in identifies types. Doubtful has those of two, which gives a
// confidence of about a half.
const (
	invoice  = "invoice bill to"
	receipt  = "receipt total paid"
	contract = "contract the parties"
	doubtful = "invoice receipt"
)

// pdf makes a document of its own for each text.
func pdf(kind, text string) []byte {
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj\n<< >>\nstream\n(%s: %s) Tj\nendstream\nendobj\n%%%%EOF\n", kind, text)
}

// noDocument is of a format that the service does not take.
func noDocument(text string) []byte { return []byte("nothing but text: " + text + "\n") }

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// stamp is what a document keeps beside its bytes.
type stamp struct {
	Modified int64
	Mode     fs.FileMode
}

func stampOf(info fs.FileInfo) stamp { return stamp{info.ModTime().UnixNano(), info.Mode()} }

// drop puts a document into the inbox as a program does that saves a file. A
// name that is taken there is not used twice.
func (w *world) drop(name string, content []byte) {
	w.t.Helper()
	for n := 1; ; n++ {
		err := w.tryDrop(name, content)
		if errors.Is(err, fs.ErrExist) {
			name = fmt.Sprintf("%s~again %d", name, n)
			continue
		}
		noErr(w.t, err)
		return
	}
}

func (w *world) tryDrop(name string, content []byte) error {
	file := filepath.Join(w.inbox, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	info, err := f.Stat()
	w.record(content, info)
	return err
}

// record adds a document to those that are expected.
func (w *world) record(content []byte, info fs.FileInfo) {
	h := hashOf(content)
	w.dropped[h] = append(w.dropped[h], stampOf(info))
	if strings.HasPrefix(string(content), "nothing but text") {
		w.mustFail[h] = true
	}
}

// recordAgain expects a file as it is now in place of the document with this hash.
func (w *world) recordAgain(hash, file string) {
	w.t.Helper()
	content, err := os.ReadFile(file)
	noErr(w.t, err)
	info, err := os.Lstat(file)
	noErr(w.t, err)
	delete(w.dropped, hash)
	w.record(content, info)
}

// dropMany drops n invoices under names made from a number.
func (w *world) dropMany(n int, format string) {
	w.t.Helper()
	for i := range n {
		w.drop(fmt.Sprintf(format, i), pdf(invoice, fmt.Sprint(i)))
	}
}

// dropFailing drops a document whose jobs fail.
func (w *world) dropFailing(name string, content []byte) {
	w.t.Helper()
	w.failingJobs.Store(hashOf(content), true)
	w.mustFail[hashOf(content)] = true
	w.drop(name, content)
}

// dropSamples drops the sample documents, in their folders.
func (w *world) dropSamples() {
	w.t.Helper()
	noErr(w.t, fs.WalkDir(testdata.Inbox(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := fs.ReadFile(testdata.Inbox(), name)
		if err == nil {
			w.drop(name, content)
		}
		return err
	}))
}

// dropOneOfEach drops documents for each way that there is: filed, reused, to review,
// failed.
func (w *world) dropOneOfEach(id string) {
	w.t.Helper()
	w.drop("scan.pdf", pdf(invoice, id))
	w.drop("a/scan.pdf", pdf(invoice, id+" again"))
	w.drop("b/copy of scan.pdf", pdf(invoice, id))
	w.drop("scan.pdf.json", pdf(invoice, id+" with an unfortunate name"))
	w.drop("till.pdf", pdf(receipt, id))
	w.drop("doubtful.pdf", pdf(doubtful, id))
	w.drop("notes.txt", noDocument(id))
	w.dropFailing("unreadable.pdf", pdf(contract, id+" that no job can identify"))
}

// dropSome drops a few random documents, many with the same names and some with the same
// content.
func (w *world) dropSome(r *rand.Rand, n int) {
	w.t.Helper()
	names := []string{"scan.pdf", "a/scan.pdf", "a/b/scan.pdf", "SCAN.PDF", "scan", "Grüße.pdf", "scan.pdf.json", "\xff.pdf"}
	types := []string{invoice, invoice, receipt, contract, doubtful, "something else"}
	for range n {
		name := names[r.IntN(len(names))]
		if r.IntN(8) == 0 {
			w.drop(path.Join("text", name), noDocument(fmt.Sprint(r.IntN(1000))))
			continue
		}
		content := pdf(types[r.IntN(len(types))], fmt.Sprint(r.IntN(60)))
		if r.IntN(10) == 0 && len(w.dropped[hashOf(content)]) == 0 {
			w.dropFailing(name, content)
		} else {
			w.drop(name, content)
		}
	}
}
