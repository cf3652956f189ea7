package settings

import (
	"os"
	"testing"
)

// A link cannot hide that one folder is inside the other.
func TestFoldersThroughLinks(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.Mkdir(dir+"/inbox", 0o700))
	ok(t, os.Symlink("inbox", dir+"/link"))
	for _, env := range [][]string{
		{"DOCUSORT_INBOX=" + dir + "/inbox", "DOCUSORT_SORTED=" + dir + "/link/new/sorted"},
		{"DOCUSORT_INBOX=" + dir + "/link/a", "DOCUSORT_SORTED=" + dir + "/inbox"},
		{"DOCUSORT_INBOX=/", "DOCUSORT_SORTED=" + dir},
	} {
		_, err := loadHere(t, env, "", 0)
		says(t, err, "inside")
	}
	s, err := loadHere(t, []string{"DOCUSORT_INBOX=" + dir + "/link", "DOCUSORT_SORTED=" + dir + "/inbox2"}, "", 0)
	if err != nil || s.Inbox != dir+"/link" {
		t.Errorf("%+v %v", s, err)
	}
}
