package pipeline

import (
	"context"
	"path"
	"time"

	"docusort/pipeline/filing"
)

// emptyFor is how long a folder of the inbox stays empty before it is removed.
const emptyFor = time.Minute

// tidyFolders removes the folders of the inbox that filing emptied, once they
// have been empty for a while: whoever made them may be about to use them again.
func (p *Pipeline) tidyFolders(ctx context.Context) error {
	due := make(map[string]time.Time) // bounded by the folders that were filed from within emptyFor
	for {
		select {
		case dir := <-p.emptied:
			due[dir] = time.Now().Add(emptyFor)
		case <-at(earliest(due)):
			p.removeEmpty(due)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func earliest(due map[string]time.Time) (first time.Time) {
	for _, at := range due {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// removeEmpty removes the folders that are due. The one above a removed folder
// was emptied by that, and waits its turn.
func (p *Pipeline) removeEmpty(due map[string]time.Time) {
	now := time.Now()
	for dir, at := range due {
		if now.Before(at) {
			continue
		}
		delete(due, dir)
		removed, err := filing.RemoveEmptyFolder(p.Inbox, dir)
		if err != nil {
			p.log.Debug("empty folder stays", "path", dir, "err", err)
		}
		if !removed {
			continue
		}
		p.log.Debug("empty folder removed", "path", dir)
		if above := path.Dir(dir); above != "." {
			due[above] = now.Add(emptyFor)
		}
	}
}
