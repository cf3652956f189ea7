// Command checkdemo looks at what `docusort demo` left behind and says whether
// every sample is filed where it belongs, without trusting the demo's own word:
//
//	checkdemo FOLDER
//
// FOLDER is searched for the demo's sorted folder. Each sample must lie in it
// once, byte for byte, under its own type, nothing else may be there, and the
// inbox beside it must be empty. The exit code is 1 where that is not so.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"docusort/testdata"
)

// place is a type and the hash of a document filed under it.
type place struct {
	kind string
	hash [sha256.Size]byte
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: checkdemo FOLDER")
		os.Exit(2)
	}
	n, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "checkdemo:", err)
		os.Exit(1)
	}
	fmt.Printf("%d samples, each filed under its type, byte for byte\n", n)
}

func check(folder string) (int, error) {
	sorted, err := find(folder)
	if err != nil {
		return 0, err
	}
	want, names, err := samples()
	if err != nil {
		return 0, err
	}
	var faults []error
	err = walk(os.DirFS(sorted), func(name string, b []byte) {
		kind, _, _ := strings.Cut(name, "/")
		p := place{kind, sha256.Sum256(b)}
		if want[p]--; want[p] < 0 {
			faults = append(faults, fmt.Errorf("%q does not belong there", filepath.Join(sorted, name)))
		}
	})
	faults = append(faults, err)
	for p, n := range want {
		if n > 0 {
			faults = append(faults, fmt.Errorf("sample %q is not filed under %s", names[p], p.kind))
		}
	}
	err = walk(os.DirFS(filepath.Join(filepath.Dir(sorted), "inbox")), func(name string, _ []byte) {
		faults = append(faults, fmt.Errorf("%q is still in the inbox", name))
	})
	return len(testdata.Types()), errors.Join(append(faults, err)...)
}

// find returns the one folder called sorted.
func find(folder string) (string, error) {
	var found []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "sorted" {
			found = append(found, path)
			return fs.SkipDir
		}
		return err
	})
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d folders called sorted in %s: the demo leaves one", len(found), folder)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// samples counts the places in which the samples must be; some are copies of
// one another, so there may be more than one in a place.
func samples() (want map[place]int, names map[place]string, err error) {
	want, names = map[place]int{}, map[place]string{}
	types := testdata.Types()
	err = walk(testdata.Inbox(), func(name string, b []byte) {
		p := place{types[name], sha256.Sum256(b)}
		want[p]++
		names[p] = name
	})
	return want, names, err
}

// walk calls f with each file of fsys.
func walk(fsys fs.FS, f func(name string, b []byte)) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		if err == nil {
			f(name, b)
		}
		return err
	})
}
