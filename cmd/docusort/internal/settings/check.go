package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// checks has a function for each variable that has rules. It takes the trimmed,
// non-empty value and returns it as envconfig decodes it, or says what is wrong
// and what to do.
var checks = map[string]func(string) (string, error){
	"DOCUTRAY_API_KEY_FILE":        path,
	"DOCUTRAY_BASE_URL":            baseURL,
	"DOCUSORT_DOCUMENT_TYPES":      documentTypes,
	"DOCUSORT_METADATA":            metadata,
	"DOCUSORT_HOME":                path,
	"DOCUSORT_INBOX":               path,
	"DOCUSORT_SORTED":              path,
	"DOCUSORT_DATABASE":            path,
	"DOCUSORT_WATCH":               oneOf(string(WatchAuto), string(WatchInotify), string(WatchPoll)),
	"DOCUSORT_RESCAN":              duration(shortest),
	"DOCUSORT_SETTLE":              duration(shortest),
	"DOCUSORT_INCOMPLETE_AFTER":    duration(shortest),
	"DOCUSORT_RECURSIVE":           boolean,
	"DOCUSORT_IGNORE":              ignore,
	"DOCUSORT_WORKERS":             number(1, 1024),
	"DOCUSORT_MAX_PENDING":         number(1, 100_000),
	"DOCUSORT_REQUESTS_PER_MINUTE": number(0, 1_000_000),
	"DOCUSORT_POLL_MIN":            duration(shortest),
	"DOCUSORT_POLL_MAX":            duration(shortest),
	"DOCUSORT_JOB_TIMEOUT":         duration(shortest),
	"DOCUSORT_MAX_ATTEMPTS":        number(1, 1000),
	"DOCUSORT_MIN_CONFIDENCE":      confidence,
	"DOCUSORT_REUSE_RESULTS":       duration(0),
	"DOCUSORT_SIDECAR":             boolean,
	"DOCUSORT_SHUTDOWN_GRACE":      duration(0),
	"DOCUSORT_KEEP_HISTORY":        duration(0),
	"DOCUSORT_HOOK":                path,
	"DOCUSORT_HTTP_ADDR":           httpAddr,
	"DOCUSORT_LOG_LEVEL":           oneOf("debug", "info", "warn", "error"),
	"DOCUSORT_LOG_FORMAT":          oneOf(LogAuto, LogText, LogJSON),
}

// shortest is the least for a duration that must not be zero: what is below it
// is a slip of the unit, or would keep a processor busy.
const shortest = time.Millisecond

// show quotes a value for a message, cut where it is long.
func show(s string) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "…"
}

// path makes a path absolute and clean.
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

// baseURL never shows the value: a password may stand in it.
func baseURL(v string) (string, error) {
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return "", errors.New("is not a URL: write one such as https://app.docutray.com")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", errors.New("has a port that is none of 1 to 65535")
		}
	}
	switch {
	case u.User != nil:
		return "", errors.New("has a user or password in it: leave them out, the key is all that is sent")
	case u.RawQuery != "" || u.ForceQuery:
		return "", errors.New("has a query (?…): leave it out")
	case u.Fragment != "" || strings.Contains(v, "#"):
		return "", errors.New("has a fragment (#…): leave it out")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", fmt.Errorf("would send the key unencrypted to %s: write https (plain http is for a loopback host only)", printable(u.Hostname()))
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("is neither https nor http: write one such as https://app.docutray.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// loopback reports whether host never leaves this machine. Names other than
// localhost may resolve to anything, so they do not count.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func documentTypes(v string) (string, error) {
	if strings.HasPrefix(v, "[") {
		return "", fmt.Errorf("%s looks like a JSON list: write the codes only, such as invoice,receipt", show(v))
	}
	var codes []string
	for i, code := range strings.Split(v, ",") {
		code = strings.TrimSpace(code)
		switch {
		case code == "":
			return "", fmt.Errorf("code %d is empty: %s has a comma too many", i+1, show(v))
		case !utf8.ValidString(code) || strings.ContainsFunc(code, unicode.IsControl):
			return "", fmt.Errorf("%s is no type code: it has control characters or is not UTF-8", show(code))
		case slices.Contains(codes, code):
			return "", fmt.Errorf("%s stands there twice", show(code))
		}
		codes = append(codes, code)
	}
	return strings.Join(codes, ","), nil
}

// metadata makes a JSON object compact, its names sorted, so that one content
// has one form.
func metadata(v string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(v))
	decoder.UseNumber()
	var object map[string]any
	err := decoder.Decode(&object)
	if err == nil && object == nil {
		err = errors.New("null is no object")
	}
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return "", fmt.Errorf("is not a JSON object such as {\"tenant\":\"a\"}: %w", err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return "", fmt.Errorf("is not a JSON object: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

func ignore(v string) (string, error) {
	if v == "/" { // no name has a slash
		return "", nil
	}
	patterns := strings.Split(v, ",")
	for i, p := range patterns {
		p = strings.TrimSpace(p)
		switch _, err := pathpkg.Match(p, ""); {
		case p == "":
			return "", fmt.Errorf("pattern %d is empty: %s has a comma too many", i+1, show(v))
		case strings.Contains(p, "/"):
			return "", fmt.Errorf("the pattern %s has a slash, and patterns are for names, not paths", show(p))
		case err != nil:
			return "", fmt.Errorf("%s is not a pattern: every [ needs its ], and a last \\ something after it", show(p))
		}
		patterns[i] = p
	}
	return strings.Join(patterns, ","), nil
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
		// Base ten, where envconfig would take 010 for eight.
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

// ParseDuration is time.ParseDuration with days of 24 hours before the rest, as
// in 30d or 1d12h: histories are long.
func ParseDuration(v string) (time.Duration, error) {
	bad := fmt.Errorf("%s is not a duration: write one such as 500ms, 5s, 10m, 1h30m or 30d", show(v))
	days, rest, ok := strings.Cut(v, "d")
	if !ok {
		days, rest = "", v
	}
	var sum time.Duration
	if ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/(24*time.Hour)) || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
			return 0, bad
		}
		sum = time.Duration(n) * 24 * time.Hour
		if rest == "" {
			return sum, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d > 0 && sum > math.MaxInt64-d {
		return 0, bad
	}
	return sum + d, nil
}

// httpAddr takes a port alone for one of this machine alone: who wants to be seen
// from elsewhere has to say so.
func httpAddr(v string) (string, error) {
	if !strings.Contains(v, ":") {
		v = ":" + v
	}
	host, port, err := net.SplitHostPort(v)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/ *@?#") {
		return "", fmt.Errorf("%s is not an address and port: write one such as 127.0.0.1:9464, "+
			"9464 for this machine only, or 0.0.0.0:9464 for all addresses", show(v))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
