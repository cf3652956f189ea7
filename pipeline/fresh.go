package pipeline

import (
	"sync"

	"docusort/store"
)

// fresh are documents as they were admitted, for those who submit them: reading
// one from the record again costs more than storing that it is submitted. Only
// documents of a content that was new are here, as no job can be taken over for
// them, and none that was ever submitted. What happened to one meanwhile the record
// knows: it is listed by the record, and [store.Store.SubmittingFirst] refuses it.
type fresh struct {
	mu   sync.Mutex
	docs map[int64]store.Document
}

// mostFresh bounds memory: about 1 MB. The others are read.
const mostFresh = 1024

func newFresh() *fresh { return &fresh{docs: make(map[int64]store.Document)} }

func (f *fresh) add(doc store.Document) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.docs) < mostFresh {
		f.docs[doc.ID] = doc
	}
}

// take returns a document, once.
func (f *fresh) take(id int64) (doc store.Document, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	doc, ok = f.docs[id]
	delete(f.docs, id)
	return doc, ok
}
