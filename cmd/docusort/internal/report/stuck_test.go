package report

import (
	"fmt"
	"testing"

	"docusort/store"
)

// TestStuck: equal reasons are counted together, whatever the paths in them.
func TestStuck(t *testing.T) {
	record(t, func(f *fixture) {
		for _, name := range []string{"a.pdf", "b\xff \"quoted\".pdf"} {
			f.admit(name, func(a *store.Admission) {
				a.SHA256, a.Blocked = nil, fmt.Sprintf("not readable: open %q: permission denied; let docusort read it", "/srv/inbox/"+name)
			})
		}
		f.stuck(2)
		f.says(f.render(writeTable, Options{}), "Stuck\n  2  not readable: open …: permission denied; let docusort read it\n", "docusort report --documents")
		f.saysNot(f.render(writeTable, Options{}), "Not filed yet")
		f.says(f.render(writeJSON, Options{}), `"stuck":[{"reason":"not readable: open …: permission denied; let docusort read it","count":2}]`)
		f.says(f.render(writeHTML, Options{}), "Stuck because", "not readable: open …: permission denied")
		f.says(f.render(writeTable, Options{Documents: true}), "/srv/inbox/a.pdf")
	})
}
