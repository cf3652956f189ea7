package filing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// maxName is the longest name of a file in bytes (NAME_MAX).
const maxName = 255

// nameWithSuffix returns the n-th name for a file: the name itself for n ≤ 1,
// "scan-2.pdf" for ("scan.pdf", 2). A name over limit bytes loses the end of its stem,
// at a rune boundary; the extension stays. The dot of a hidden file starts none, and
// neither does a dot before a space or before digits alone ("Dr. Who", "2024.01").
// Bytes that are not UTF-8 pass through.
func nameWithSuffix(name string, n, limit int) string {
	suffix := ""
	if n > 1 {
		suffix = "-" + strconv.Itoa(n)
	}
	if suffix == "" && len(name) <= limit {
		return name
	}
	stem, ext := splitExt(name)
	return cutBytes(stem, limit-len(suffix)-len(ext)) + suffix + ext
}

// splitExt splits a name into stem and extension with its dot.
func splitExt(name string) (stem, ext string) {
	const longest = 16 // bytes, and the dot
	i := max(0, strings.LastIndexByte(name, '.'))
	stem, ext = name[:i], name[i:]
	if strings.Trim(stem, ".") == "" || len(ext)-1 > longest ||
		strings.ContainsAny(ext, " \t\n") || strings.Trim(ext, ".0123456789") == "" {
		return name, ""
	}
	return stem, ext
}

// cutBytes shortens s to n bytes or a little less, so that no rune is split.
func cutBytes(s string, n int) string {
	if n = max(n, 0); len(s) <= n {
		return s
	}
	for i := n; i > max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n] // not UTF-8
}

// FreeName returns a name, name itself or one with a number, under which nothing
// exists in the folder dir (an absolute path), nor under it with any of the companions
// (such as ".json") appended; a dangling link exists. A name with its longest companion
// fits into what the filesystem takes, 255 bytes at most. taken, where not nil, reports
// names (companions' too) that the caller has given away but that are not on disk yet.
// In a folder that does not exist every name is free.
//
// The numbers are searched by doubling and halving: a name that 10,000 files have
// costs some 30 looks. A higher number than necessary may be returned. The name is
// free when looked at, no longer: only a move that does not overwrite makes sure.
func FreeName(dir, name string, companions []string, taken func(string) bool) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("name %q: %w", name, fs.ErrInvalid)
	}
	longest := maxName
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) == nil && st.Namelen > 32 && st.Namelen < maxName {
		longest = int(st.Namelen) - 16 // it encrypts names, and may pad them
	}
	limit := longest
	for _, c := range companions {
		limit = min(limit, longest-len(c))
	}
	endings := append([]string{""}, companions...)
	var failed error
	used := func(n int) bool {
		for _, ending := range endings {
			candidate := nameWithSuffix(name, n, limit) + ending
			if taken != nil && taken(candidate) {
				return true
			}
			if _, err := os.Lstat(filepath.Join(dir, candidate)); err == nil {
				return true
			} else if !errors.Is(notThere(err), fs.ErrNotExist) {
				failed = fmt.Errorf("look for a free name: %w", err)
				return false
			}
		}
		return false
	}
	low, high := 0, 1 // low is used; high is free after the loop
	for used(high) {
		if high >= 1<<30 {
			return "", fmt.Errorf("a free name for %q in %q: %w", name, dir, fs.ErrExist)
		}
		low, high = high, high*2
	}
	between := high - low - 1
	n := low + 1 + sort.Search(between, func(i int) bool { return !used(low + 1 + i) })
	if failed != nil {
		return "", failed
	}
	return nameWithSuffix(name, n, limit), nil
}

// NamesLike returns the files of a folder that FreeName may have given a name to for this
// one: name itself, and those with a number, until two in a row are missing.
func NamesLike(dir, name string) (names []string) {
	for n, missing := 1, 0; missing < 2; n++ {
		candidate := nameWithSuffix(name, n, maxName)
		missing++
		if _, err := os.Lstat(filepath.Join(dir, candidate)); err == nil {
			names, missing = append(names, candidate), 0
		}
	}
	return names
}

const (
	maxFolderName = 100
	unknownFolder = "unknown"
)

// FolderName turns a type code of the service into the name of the folder for it. It
// leaves out '/' and '\', control, invisible and direction-changing characters and
// bytes that are not UTF-8, then leading dots and underscores, and spaces at either
// end. A name over 100 bytes is cut before the rune that crosses the limit; an empty
// one becomes "unknown". The result is one path component, never ".", ".." or a name
// of docusort's own ("_review"), and FolderName leaves it as it is.
func FolderName(code string) string {
	name := strings.Map(func(r rune) rune {
		if unsafeRune(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(code, ""))
	name = strings.TrimLeftFunc(name, func(r rune) bool { return r == '.' || r == '_' || unicode.IsSpace(r) })
	name = strings.TrimRightFunc(cutBytes(name, maxFolderName), unicode.IsSpace)
	if name == "" {
		return unknownFolder
	}
	return name
}

// safeLength is how long a safe name is at most, in bytes. Filesystems that encrypt
// names take 143 of 255.
const safeLength = 120

// SafeName returns a name for one that a filesystem did not take, see NextName. FAT, NTFS,
// file servers and filesystems that encrypt names take the result, and it has the same
// extension. A safe name stays as it is.
func SafeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, strings.ToValidUTF8(name, "-"))
	const ends = " ." // Windows leaves them out at the end of a name
	name = nameWithSuffix(strings.TrimRight(name, ends), 1, safeLength)
	if name = strings.TrimRight(name, ends); name == "" {
		return unknownFolder
	}
	stem, _, _ := strings.Cut(name, ".")
	if dosDevice.MatchString(stem) {
		name = stem + "-" + name[len(stem):]
	}
	return name
}

// NextName returns what to try for a name that a filesystem did not take (ErrName): its
// SafeName or, for a safe one, a name of ASCII alone, which stays as it is.
func NextName(name string) string {
	if safe := SafeName(name); safe != name {
		return safe
	}
	return SafeName(strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '-'
		}
		return r
	}, name))
}

// dosDevice are the names that Windows gives to devices, whatever extension follows.
var dosDevice = regexp.MustCompile(`(?i)^(con|prn|aux|nul|(com|lpt)[0-9]) *$`)

// SafeFolder is SafeName for a FolderName. A part of its hash keeps the folders of two
// types apart.
func SafeFolder(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s-%x", SafeName(name), sum[:3])
}

// unsafeRune reports separators, controls (Cc), formats (Cf: direction changes, zero
// widths, tags), line and paragraph separators, and the characters that Unicode lets a
// renderer leave out, which make two names look alike.
func unsafeRune(r rune) bool {
	return r == '/' || r == '\\' ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
