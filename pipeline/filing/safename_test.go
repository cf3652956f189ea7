package filing

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"scan.pdf":                            "scan.pdf",
		"Müller & Söhne (2).tar.gz":           "Müller & Söhne (2).tar.gz",
		"Rechnung: Mai?.pdf":                  "Rechnung- Mai-.pdf",
		`a<b>c"d|e*f\g.pdf`:                   "a-b-c-d-e-f-g.pdf",
		"M\xe4rz\x80.pdf":                     "M-rz-.pdf",
		"two\nlines\x7f.pdf":                  "two-lines-.pdf",
		"scan.pdf. .":                         "scan.pdf",
		"...":                                 "unknown",
		"CON":                                 "CON-",
		"nul.pdf":                             "nul-.pdf",
		"Com1 .tar.gz":                        "Com1 -.tar.gz",
		"CONTRACT.pdf":                        "CONTRACT.pdf",
		"COMA.pdf":                            "COMA.pdf",
		".hidden":                             ".hidden",
		strings.Repeat("ä", 100) + ".pdf":     strings.Repeat("ä", 58) + ".pdf",
		strings.Repeat("x", 118) + ". . long": strings.Repeat("x", 118),
	} {
		if got := SafeName(name); got != want {
			t.Errorf("SafeName(%q) = %q, want %q", name, got, want)
		}
	}
}

// What is refused is tried safe, and then in ASCII.
func TestNextName(t *testing.T) {
	for name, want := range map[string]string{
		"a: ü.pdf": "a- ü.pdf", "a- ü.pdf": "a- -.pdf", "a- -.pdf": "a- -.pdf", "scan.pdf": "scan.pdf", "領収書": "---",
	} {
		if got := NextName(name); got != want {
			t.Errorf("NextName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSafeNameIsSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.Byte()).Draw(t, "name"))
		safe := SafeName(name)
		switch {
		case safe == "" || len(safe) > safeLength+1 || !utf8.ValidString(safe),
			strings.ContainsAny(safe, "\x00\n<>:\"/\\|?*"),
			strings.TrimRight(safe, ". ") != safe:
			t.Fatalf("SafeName(%q) = %q", name, safe)
		case SafeName(safe) != safe:
			t.Fatalf("SafeName(%q) = %q, and of that %q", name, safe, SafeName(safe))
		}
	})
}

// Two types do not come to share a folder.
func TestSafeFolder(t *testing.T) {
	seen := make(map[string]string)
	for _, code := range []string{"a:b", "a?b", "a-b", "CON", "CON-", "x.", "x"} {
		folder := SafeFolder(FolderName(code))
		if other, taken := seen[folder]; taken || SafeName(folder) != folder || FolderName(folder) != folder {
			t.Errorf("SafeFolder(%q) = %q, of %q too", code, folder, other)
		}
		seen[folder] = code
	}
}

// A refusal of a name is told from other errors, and leaves nothing behind.
func TestNameIsRefused(t *testing.T) {
	for _, c := range []struct {
		target string
		try    error // of a folder of that name
		want   error
	}{
		{"invoice/a:b.pdf", unix.ENOENT, ErrName},
		{"invoice/a:b.pdf", unix.EACCES, ErrName},
		{"invoice/a:b.pdf", unix.EIO, unix.ENOTDIR},
		{"invoice/a:b.pdf", nil, unix.ENOTDIR},
		{"invoice/a.pdf", unix.ENOENT, unix.ENOTDIR},
		{"invoice/ü.pdf", unix.EPERM, ErrName}, // some FAT takes ASCII alone
	} {
		w := newWorld(t, false)
		w.mv.Target = c.target
		m, _ := lacking(map[string]error{"rename": unix.ENOTDIR, "try name": c.try})
		if err := m.MoveOrCopy(t.Context(), w.mv); !errors.Is(err, c.want) {
			t.Errorf("%q, %v: %v, want %v", c.target, c.try, err, c.want)
		}
		same(t, "left", names(t, filepath.Join(w.mv.Sorted, "invoice")), "")
		w.only(w.content, w.source())
	}
}

// NTFS as Windows needs it refuses the names that file servers and memory cards refuse.
func TestNamesOnNTFS(t *testing.T) {
	w := newWorld(t, false)
	mountNTFS(t, w.mv.Sorted)
	m := NewMover(Options{})
	for _, folder := range []string{"a:b", "CON", "x.", "plain"} {
		err := m.MakeFolder(w.mv.Sorted, folder)
		if folder == "plain" {
			must(t, err)
			continue
		}
		if !errors.Is(err, ErrName) {
			t.Fatalf("folder %q: %v, want ErrName", folder, err)
		}
		must(t, m.MakeFolder(w.mv.Sorted, SafeFolder(folder)))
	}
	for i, name := range []string{"Rechnung: Mai?.pdf", "M\xe4rz.pdf", "NUL.pdf", "scan.", "Müller.pdf"} {
		mv := w.document(w.mv.Root, name, []byte(name))
		mv.Sorted, mv.Tag = w.mv.Sorted, string(rune('a'+i))
		for _, safe := range []string{name, SafeName(name)} {
			free, err := FreeName(filepath.Join(mv.Sorted, "plain"), safe, []string{".json"}, nil)
			must(t, err)
			mv.Target = "plain/" + free
			if outcome, err := m.Resume(t.Context(), mv); err != nil || outcome != NotStarted {
				t.Errorf("Resume of %q: %v, %v", name, outcome, err)
			}
			if err = m.MoveOrCopy(t.Context(), mv); err == nil {
				break
			}
			if !errors.Is(err, ErrName) || safe != name {
				t.Fatalf("%q: %v", name, err)
			}
		}
		same(t, "changed", mv.Target != "plain/"+name, name != "Müller.pdf")
		w.only([]byte(name), filepath.Join(mv.Sorted, mv.Target))
	}
}

// mountNTFS mounts a new NTFS, or skips the test.
func mountNTFS(t *testing.T, dir string) {
	t.Helper()
	for _, program := range []string{"mkfs.ntfs", "ntfs-3g"} {
		if _, err := exec.LookPath(program); err != nil || os.Geteuid() != 0 {
			t.Skipf("no %s, or not the superuser: not tested", program)
		}
	}
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 16<<20))
	must(t, exec.Command("mkfs.ntfs", "-F", "-Q", "-q", image).Run())
	if out, err := exec.Command("ntfs-3g", "-o", "windows_names", image, dir).CombinedOutput(); err != nil {
		t.Skipf("may not mount: %v\n%s", err, out)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
}

// A filesystem that takes shorter names gets them.
func TestFreeNameOnShortNames(t *testing.T) {
	if _, err := exec.LookPath("encfs"); err != nil || os.Geteuid() != 0 {
		t.Skip("no encfs, or not the superuser: not tested")
	}
	plain, cipher := t.TempDir(), t.TempDir()
	mount := exec.Command("encfs", "-S", "--standard", cipher, plain)
	mount.Stdin = strings.NewReader("password\n")
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("may not mount: %v\n%s", err, out)
	}
	t.Cleanup(func() { must(t, unix.Unmount(plain, unix.MNT_DETACH)) })
	long := strings.Repeat("n", 250) + ".pdf"
	name, err := FreeName(plain, long, []string{".error.json"}, nil)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(plain, name), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(plain, name+".error.json"), nil, 0o600))
	if !strings.HasSuffix(name, ".pdf") || slices.Contains([]string{long, ""}, name) {
		t.Errorf("%q", name)
	}
}
