package filing

import (
	"time"

	"golang.org/x/sys/unix"
)

// syncContent makes the content of the source last.
func (t *transfer) syncContent() error {
	if t.lastsAlready() {
		err := t.step("look for lost writes", func() error {
			return unix.SyncFileRange(t.file.fd, 0, 0, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
		})
		if !lacking(err) {
			return err
		}
	}
	return t.step("fsync source", t.file.sync)
}

// lastsAlready: the source was described before all of its filesystem was
// synced, and nothing at all has changed since.
func (t *transfer) lastsAlready() bool {
	id := identityOf(&t.was)
	if !id.Same(t.Identity) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lasting[id.Device]
}

// A sync of a filesystem is worth it for so many documents, unless they are large:
// then it is their writing that takes the time.
const (
	fewContents   = 4
	largeContents = 64 << 20 // bytes, together
)

// SyncContents makes the contents of documents that are to be moved last, all at
// once, so that Do need not sync each: those that are still as their Identity,
// taken before this call, says. It does nothing where that is not worth it or the
// filesystem is not known to keep its word, and changes nothing by an error: Do
// does for each document what was not done for all, and returns the error that
// is that document's own. It says whether it was done. It may wait for what other
// programs wrote to that filesystem.
func (b *Batch) SyncContents(moves []Move) bool {
	size := int64(0)
	for i := range moves {
		size += moves[i].Identity.Size
	}
	if len(moves) < fewContents || size > largeContents || !b.wholeSync.may(time.Now()) {
		return false
	}
	b.mu.Lock()
	h, err := b.root(moves[0].Root)
	b.mu.Unlock()
	if err != nil || b.syncWhole(h.dir, h.device) != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lasting == nil {
		b.lasting = make(map[uint64]bool)
	}
	b.lasting[h.device] = true
	return true
}
