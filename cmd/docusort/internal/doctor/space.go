package doctor

import (
	"os"
	"path/filepath"

	"docusort/cmd/docusort/internal/report/display"

	"golang.org/x/sys/unix"
)

// Less than this is too little: a single document may have 100 MB.
const (
	leastBytes  = 200 << 20
	leastInodes = 1000
)

func (d Doctor) space(largest int64) []Result {
	if d.statfs == nil {
		d.statfs = unix.Statfs
	}
	var results []Result
	seen := map[uint64]bool{}
	for _, at := range []struct{ what, path string }{
		{"the database", filepath.Dir(d.Database)}, {"sorted", d.Sorted}, {"the inbox", d.Inbox},
	} {
		mount := MountOf(at.path)
		if _, err := os.Stat(at.path); err != nil || mount != 0 && seen[mount] {
			continue // reported for the folder itself, or under another name
		}
		seen[mount] = true
		var st unix.Statfs_t
		err := d.statfs(at.path, &st)
		free := st.Bavail * uint64(st.Bsize)
		switch {
		case err != nil:
			results = append(results, Wrong("space", "%s: the free space of the disk of %s is not known: %v", at.path, at.what, err))
		case st.Flags&unix.ST_RDONLY != 0:
			results = append(results, Wrong("space", "%s is mounted read-only: mount it read-write", at.path))
		case free < uint64(largest) && at.path != d.Inbox:
			results = append(results, Wrong("space", "%s has %s free only, and a document of %s waits: make room", at.path,
				display.Size(int64(free)), display.Size(largest)))
		case free < leastBytes:
			results = append(results, Wrong("space", "%s has %s free only: make room, documents wait when it is full", at.path, display.Size(int64(free))))
		case st.Type != unix.FUSE_SUPER_MAGIC && st.Files > 0 && st.Ffree < leastInodes: // FUSE may state any number
			results = append(results, Wrong("space", "%s has room for %d more files only: remove some, documents wait when it is full", at.path, st.Ffree))
		default:
			results = append(results, OK("space", "%s has %s free", at.path, display.Size(int64(free))))
		}
	}
	return results
}
