// Command checkdemo checks what `docusort demo` left in a folder:
//
//	checkdemo FOLDER
//
// Every sample must lie under its own type in the demo's sorted folder, byte for
// byte, with nothing else beside it, and the inbox must be empty. The exit code is 1
// if that is not so.
package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"docusort/testdata"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: checkdemo FOLDER")
		os.Exit(2)
	}
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "checkdemo:", err)
		os.Exit(1)
	}
	fmt.Printf("%d samples, each filed under its type, byte for byte\n", len(testdata.Types()))
}

func check(folder string) error {
	homes, err := filepath.Glob(filepath.Join(folder, "*/sorted"))
	if err != nil || len(homes) != 1 {
		return errors.Join(err, fmt.Errorf("%d sorted folders in %s, want one", len(homes), folder))
	}
	types, names := testdata.Types(), map[hash]string{}
	found := map[string]int{} // less what must be there
	count := func(folder, name string, n int) { found[fmt.Sprintf("%s %q", folder, name)] += n }
	err = errors.Join(
		walk(testdata.Inbox(), func(name string, h hash) { names[h] = name }), // one name for samples with the same bytes
		walk(testdata.Inbox(), func(name string, h hash) { count(types[name], names[h], -1) }),
		walk(os.DirFS(homes[0]), func(name string, h hash) {
			folder, _, _ := strings.Cut(name, "/")
			count(folder, cmp.Or(names[h], name), 1)
		}),
		walk(os.DirFS(filepath.Join(homes[0], "../inbox")), func(name string, _ hash) { count("inbox", name, 1) }))
	maps.DeleteFunc(found, func(_ string, n int) bool { return n == 0 })
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("missing (-1) or too many (1): %v", found)
	}
	return err
}

type hash = [sha256.Size]byte

// walk calls f with every file.
func walk(files fs.FS, f func(name string, h hash)) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err == nil {
			f(name, sha256.Sum256(b))
		}
		return err
	})
}
