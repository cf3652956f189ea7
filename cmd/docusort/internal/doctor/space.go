package doctor

import (
	"path/filepath"

	"docusort/cmd/docusort/internal/report/display"

	"golang.org/x/sys/unix"
)

// space is the room on a filesystem for an ordinary user.
type space struct {
	free, inodes uint64 // in bytes, and in files
	countsInodes bool
	readOnly     bool
}

func spaceAt(path string) (space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return space{}, err
	}
	return space{
		free: st.Bavail * uint64(st.Bsize), inodes: st.Ffree, countsInodes: st.Files > 0,
		readOnly: st.Flags&unix.ST_RDONLY != 0,
	}, nil
}

// Less than this is too little: a single document may have 100 MB.
const (
	leastBytes  = 200 << 20
	leastInodes = 1000
)

func (d Doctor) space() []Result {
	if d.spaceAt == nil {
		d.spaceAt = spaceAt
	}
	var results []Result
	seen := map[mount]bool{}
	for _, at := range []struct{ what, path string }{
		{"the database", filepath.Dir(d.Database)}, {"sorted", d.Sorted}, {"the inbox", d.Inbox},
	} {
		m, ok := mountOf(at.path)
		if !ok || seen[m] {
			continue
		}
		seen[m] = true
		s, err := d.spaceAt(at.path)
		switch {
		case err != nil:
			results = append(results, Wrong("space", "%s: the free space of the disk of %s is not known: %v", at.path, at.what, err))
		case s.readOnly:
			results = append(results, Wrong("space", "%s is mounted read-only: mount it read-write", at.path))
		case s.free < leastBytes:
			results = append(results, Wrong("space", "%s has %s free only: make room, documents wait when it is full", at.path, display.Size(int64(s.free))))
		case s.countsInodes && s.inodes < leastInodes:
			results = append(results, Wrong("space", "%s has room for %d more files only: remove some, documents wait when it is full", at.path, s.inodes))
		default:
			results = append(results, OK("space", "%s has %s free", at.path, display.Size(int64(s.free))))
		}
	}
	return results
}
