package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
)

// shortest is the least that a duration may be which must not be zero: less is a
// wrong unit, or would keep a processor busy.
const shortest = time.Millisecond

// show quotes the beginning of a value for a message.
func show(s string) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
}

func path(v string) (string, error) {
	switch {
	case strings.HasPrefix(v, "~"):
		return "", fmt.Errorf("%s begins with ~, which only a shell replaces: write the whole path", show(v))
	case strings.HasPrefix(v, "$"):
		return "", fmt.Errorf("%s begins with $, and variables are not replaced here: write the whole path", show(v))
	}
	abs, err := filepath.Abs(v)
	if err != nil {
		return "", fmt.Errorf("%s is relative and the working folder is unknown: write the whole path", show(v))
	}
	return abs, nil
}

func typeFolders(v string) (string, error) {
	_, err := filing.ParseFolders(v)
	return v, err
}

// baseURL never shows the value: a password may stand in it.
func baseURL(v string) (string, error) {
	return strings.TrimRight(v, "/"), docutray.CheckBaseURL(v)
}

// list checks the parts of a comma-separated value and joins them without spaces.
func list(v, part string, check func(string) error) (string, error) {
	parts := strings.Split(v, ",")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
		if parts[i] == "" {
			return "", fmt.Errorf("%s %d is empty: %s has a comma too many", part, i+1, show(v))
		}
		if err := check(parts[i]); err != nil {
			return "", err
		}
	}
	return strings.Join(parts, ","), nil
}

func documentTypes(v string) (string, error) {
	if strings.HasPrefix(v, "[") {
		return "", fmt.Errorf("%s looks like a JSON list: write the codes only, such as invoice,receipt", show(v))
	}
	seen := map[string]bool{}
	return list(v, "code", func(code string) error {
		if !utf8.ValidString(code) || strings.ContainsFunc(code, unicode.IsControl) {
			return fmt.Errorf("%s is not a type code: it has control characters or is not UTF-8", show(code))
		}
		if seen[code] {
			return fmt.Errorf("%s is named twice", show(code))
		}
		seen[code] = true
		return nil
	})
}

// metadata makes a JSON object compact and sorts its names, so that equal objects
// are equal texts.
func metadata(v string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(v))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	if _, more := decoder.Token(); err == nil && more != io.EOF {
		err = errors.New("something follows the object")
	}
	if err == nil && object == nil {
		err = errors.New("null is not an object")
	}
	if err != nil {
		return "", fmt.Errorf("is not a JSON object such as {\"tenant\":\"a\"}: %w", err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(object)
	return strings.TrimSpace(b.String()), err
}

func ignore(v string) (string, error) {
	if v == "/" { // no name has a slash
		return "", nil
	}
	return list(v, "pattern", func(p string) error {
		if strings.Contains(p, "/") {
			return fmt.Errorf("the pattern %s has a slash, and patterns are for names, not paths", show(p))
		}
		if _, err := pathpkg.Match(p, ""); err != nil {
			return fmt.Errorf("%s is not a pattern: every [ needs its ], and a last \\ something after it", show(p))
		}
		return nil
	})
}

func oneOf(names ...string) func(string) (string, error) {
	return func(v string) (string, error) {
		if lower := strings.ToLower(v); slices.Contains(names, lower) {
			return lower, nil
		}
		return "", fmt.Errorf("%s is none of %s", show(v), strings.Join(names, ", "))
	}
}

func boolean(v string) (string, error) {
	switch strings.ToLower(v) {
	case "true", "yes", "on", "1":
		return "true", nil
	case "false", "no", "off", "0":
		return "false", nil
	}
	return "", fmt.Errorf("%s is neither true nor false", show(v))
}

func number(least, most int) func(string) (string, error) {
	return func(v string) (string, error) {
		// In base ten: envconfig would read 010 as eight.
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return "", fmt.Errorf("%s is not a whole number from %d to %d", show(v), least, most)
		}
		return strconv.Itoa(n), nil
	}
}

func confidence(v string) (string, error) {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		return "", fmt.Errorf("%s is not a number from 0 to 1, such as 0.7", show(v))
	}
	return strconv.FormatFloat(f, 'g', -1, 64), nil
}

func duration(least time.Duration) func(string) (string, error) {
	return func(v string) (string, error) {
		d, err := ParseDuration(v)
		switch {
		case err != nil:
			return "", err
		case d < 0:
			return "", fmt.Errorf("%s is negative", show(v))
		case d < least:
			return "", fmt.Errorf("%s is too short: it must be at least %v", show(v), least)
		}
		return d.String(), nil
	}
}

// ParseDuration is time.ParseDuration with days of 24 hours in front, as in 30d or
// 1d12h.
func ParseDuration(v string) (time.Duration, error) {
	text, sum := v, time.Duration(0)
	if days, rest, ok := strings.Cut(v, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16) // 179 years at most: no overflow
		if err != nil || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
			text = "" // not a duration
		} else {
			sum, text = time.Duration(n)*24*time.Hour, "0"+rest
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d > 0 && sum > math.MaxInt64-d {
		return 0, fmt.Errorf("%s is not a duration: write one such as 500ms, 5s, 10m, 1h30m or 30d", show(v))
	}
	return sum + d, nil
}

// httpAddr gives a port without a host the loopback address, so that other machines do
// not reach it unless the user says so.
func httpAddr(v string) (string, error) {
	if socket, isUnix := strings.CutPrefix(v, "unix:"); isUnix {
		if !filepath.IsAbs(socket) || len(socket) > 107 {
			return "", fmt.Errorf("%s is not a socket: write one such as unix:/run/docusort/page, of at most 107 bytes", show(v))
		}
		return "unix:" + filepath.Clean(socket), nil
	}
	if !strings.Contains(v, ":") {
		v = ":" + v
	}
	host, port, err := net.SplitHostPort(v)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/ *@?#") {
		return "", fmt.Errorf("%s is not an address and port: write one such as 127.0.0.1:9464, "+
			"9464 for this machine only, 0.0.0.0:9464 for all addresses, or unix:/path for a socket", show(v))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
