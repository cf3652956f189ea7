package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// typeCodes are what docusort lets the service choose from.
const typeCodes = "invoice,receipt,contract,letter,purchase_order"

// kinds are texts by which the stand-in knows these types.
var kinds = []string{"Invoice", "Receipt", "Contract", "Dear customer", "Purchase order"}

// filler fills documents. It does not compress.
var filler = make([]byte, 1<<20)

func init() { _, _ = rand.NewChaCha8([32]byte{}).Read(filler) }

// site is where one daemon or one bare loop works.
type site struct{ home, inbox, sorted, database string }

func (b *bench) newSite() *site {
	b.sites++
	home := filepath.Join(b.dir, fmt.Sprintf("site-%d", b.sites))
	must(os.MkdirAll(home+"/inbox", 0o755))
	must(os.MkdirAll(home+"/sorted/bare", 0o755)) // a folder for the bare loop
	return &site{home, home + "/inbox", home + "/sorted", home + "/docusort.db"}
}

// fullSite returns a site with n documents in its inbox.
func (b *bench) fullSite(n, size int) *site {
	s := b.newSite()
	for i := range n {
		s.drop(i, size)
	}
	syscall.Sync() // as if they had been written long ago
	return s
}

// remove deletes everything and lets the disk come to rest for the next run.
func (s *site) remove() {
	must(os.RemoveAll(s.home))
	syscall.Sync()
}

// drop writes document number i, a PDF, into the inbox and returns its name.
func (s *site) drop(i, size int) (name string) {
	name = fmt.Sprintf("scan-%06d.pdf", i)
	f := got(os.Create(filepath.Join(s.inbox, name)))
	w := bufio.NewWriterSize(f, 256<<10)
	n, _ := fmt.Fprintf(w, "%%PDF-1.4\n1 0 obj << >>\nstream\nBT (%s, number %d) Tj ET\nendstream\nendobj\n%%", kinds[i%len(kinds)], i)
	const end = "\n%%EOF\n"
	for left := size - n - len(end); left > 0; left -= len(filler) {
		_, _ = w.Write(filler[:min(len(filler), left)])
	}
	_, _ = w.WriteString(end)
	must(w.Flush()) // the first error of all writes
	must(f.Close())
	return name
}

// list returns the time of the last change (ctime) of each document, by its name.
func list(pattern string) map[string]time.Time {
	found := map[string]time.Time{}
	for _, path := range got(filepath.Glob(pattern)) {
		if info, err := os.Stat(path); err == nil { // not moved meanwhile
			found[info.Name()] = time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
		}
	}
	return found
}

// filed returns the documents in the folders of types, not in _failed.
func (s *site) filed() map[string]time.Time { return list(s.sorted + "/[^_]*/*.pdf") }

// allFiled is filed for the end: all n documents must be there, and nothing else.
func (s *site) allFiled(n int) map[string]time.Time {
	filed, left := s.filed(), list(s.inbox+"/*.pdf")
	if len(filed) != n || len(left) != 0 {
		must(fmt.Errorf("of %d documents %d are filed under a type, and %d are in the inbox", n, len(filed), len(left)))
	}
	return filed
}
