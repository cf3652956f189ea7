package pipeline

import (
	"fmt"
	"os"
	"sync"
	"time"

	"docusort/store"
)

// inboxState is what is known of the folder at the inbox's path.
type inboxState struct {
	mu      sync.Mutex
	folder  store.Folder // that stood there last
	mounted bool         // it was a mount point in this run
	away    store.Folder // that a document was in which is missing; no path: none
	missed  time.Time    // when one was missed last
}

// missed notes that a document was in a folder that is not there.
func (p *Pipeline) missed(then store.Folder) {
	p.inbox.mu.Lock()
	p.inbox.away, p.inbox.missed = then, time.Now()
	p.inbox.mu.Unlock()
	p.CheckInbox()
}

// CheckInbox looks at the inbox, and begins or ends its hold. It returns whether it is held,
// and so to be looked at again soon; otherwise a look when the watcher tells of a change is
// enough.
func (p *Pipeline) CheckInbox() (held bool) {
	in := &p.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	reason := p.inboxTrouble(in)
	p.gate.HoldInbox(reason)
	return reason != ""
}

// inboxTrouble returns why documents are not to be found in the inbox, or "".
func (p *Pipeline) inboxTrouble(in *inboxState) string {
	now, err := folderAt(p.Inbox)
	if err != nil {
		return fmt.Sprintf("the inbox is missing: %v", err)
	}
	dir, err := os.Open(p.Inbox + "/.") // for which it must be readable and searchable
	if err != nil {
		return fmt.Sprintf("the inbox cannot be read: %v; give the user that docusort runs as the right to read it", err)
	}
	dir.Close()
	if now != in.folder {
		in.folder = now
		p.sweepNow.wake() // what was in the other one is missed at once
	}
	isMounted := isMountPoint(p.Inbox)
	in.mounted = in.mounted || isMounted
	if in.mounted && !isMounted {
		return fmt.Sprintf("the inbox %q was a mount point and is not any more", p.Inbox)
	}
	if in.away.Path == "" {
		return ""
	}
	if now.Inode == in.away.Inode || now.Device == in.away.Device || time.Since(in.missed) > 2*p.Rescan+lookAgain {
		in.away = store.Folder{}
		return ""
	}
	return fmt.Sprintf("another folder is at %q than the one that documents were in", p.Inbox)
}
