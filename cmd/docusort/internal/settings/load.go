package settings

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// Load reads and checks all settings. environ is what os.Environ returns;
// configFile is the file the user named, which must then exist, or "" for
// [DefaultConfigFile] where there is one. Relative paths are taken from the
// working folder.
//
// The error is nil or [Problems]. With Problems the settings are returned all
// the same, with the default in place of each value that was refused: enough
// for doctor to look at everything else, and for nothing more.
func Load(environ []string, configFile string, need Need) (*Settings, error) {
	return load(environ, configFile, DefaultConfigFile, need)
}

func load(environ []string, configFile, defaultFile string, need Need) (*Settings, error) {
	l := newLoader(environ)
	var s Settings
	l.readConfig(&s, configFile, defaultFile)
	l.checkNames()
	l.home = l.lookupHome()
	err := envconfig.ProcessWith(context.Background(), &envconfig.Config{
		Target:   &s,
		Lookuper: envconfig.LookuperFunc(l.envLookup),
		Mutators: []envconfig.Mutator{envconfig.MutatorFunc(l.check)},
	})
	if err != nil {
		// Every value was checked by now, so this is a fault of a tag or check.
		return nil, Problems{{Text: "settings: " + err.Error()}}
	}
	l.needs(&s, need)
	l.contradictions(&s)
	if len(l.problems) == 0 {
		return &s, nil
	}
	return &s, l.result()
}

// loader gathers values and what is wrong with them.
type loader struct {
	env      map[string]string
	file     map[string]entry
	path     string // of the file
	home     string // what DOCUSORT_HOME comes to
	problems Problems
	refused  map[string]bool // names with a problem of their own
}

func newLoader(environ []string) *loader {
	l := &loader{env: map[string]string{}, file: map[string]entry{}, refused: map[string]bool{}}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			l.env[name] = value
		}
	}
	return l
}

// readConfig reads the file into l.file.
func (l *loader) readConfig(s *Settings, path, defaultFile string) {
	named := path != ""
	if !named {
		path = defaultFile
	}
	l.path = path
	b, err := readBounded(path)
	switch {
	case err == nil:
	case !named && errors.Is(err, fs.ErrNotExist):
		return
	case !named && errors.Is(err, fs.ErrPermission):
		// Often on purpose: systemd, which is root, has read it for the service
		// already, and others may look at reports without seeing what is in it.
		s.ConfigSkipped = err
		return
	default:
		l.problems = append(l.problems, Problem{Origin: printable(path), Text: "the settings file cannot be read: " + reason(err)})
		return
	}
	s.ConfigFile = path
	entries, faults := parseFile(b)
	for _, f := range faults {
		l.problems = append(l.problems, Problem{Origin: l.at(f.line), Text: f.text})
	}
	for _, e := range entries {
		l.file[e.name] = e // the last wins, as with systemd
	}
}

// at names a line of the settings file.
func (l *loader) at(line int) string { return fmt.Sprintf("%s:%d", printable(l.path), line) }

// lookup returns a variable's text and where it stands; ok is false where it is
// set nowhere or, which means the same, to nothing.
func (l *loader) lookup(name string) (value, origin string, ok bool) {
	if v, set := l.env[name]; set {
		return v, "environment", strings.TrimSpace(v) != ""
	}
	if e, set := l.file[name]; set {
		return e.value, l.at(e.line), strings.TrimSpace(e.value) != ""
	}
	return "", "", false
}

// envLookup is lookup as envconfig wants it. DOCUSORT_HOME is always there, so
// that the defaults that refer to it can be expanded.
func (l *loader) envLookup(name string) (string, bool) {
	if name == "DOCUSORT_HOME" {
		return l.home, true
	}
	v, _, ok := l.lookup(name)
	return v, ok
}

// lookupHome returns what DOCUSORT_HOME comes to.
func (l *loader) lookupHome() string {
	value, _, ok := l.lookup("DOCUSORT_HOME")
	if !ok {
		// Not from the file: only systemd sets it, and only for the service.
		value, _, _ = strings.Cut(l.env["STATE_DIRECTORY"], ":")
	}
	value = strings.TrimSpace(value)
	switch home, err := path(value); {
	case value == "":
	case ok && quoted(value):
		l.refuse("DOCUSORT_HOME", quotesText)
	case err != nil:
		l.refuse("DOCUSORT_HOME", err.Error())
	default:
		return home
	}
	return defaultOf("DOCUSORT_HOME")
}

// check is called by envconfig with each value before it is decoded. It returns
// the value in the form that envconfig understands; a bad one is noted and its
// default returned, so that decoding goes on and every problem is found.
func (l *loader) check(_ context.Context, name, _, _, value string) (string, bool, error) {
	value = strings.TrimSpace(value)
	if quoted(value) {
		l.refuse(name, quotesText)
	} else if f := checks[name]; f != nil {
		checked, err := f(value)
		if err == nil {
			return checked, false, nil
		}
		if strings.Contains(value, " #") {
			err = fmt.Errorf("%w (a comment needs a line of its own)", err)
		}
		l.refuse(name, err.Error())
	} else {
		return value, false, nil
	}
	return l.fallback(name), false, nil
}

// fallback is the default of a variable, expanded and checked.
func (l *loader) fallback(name string) string {
	text := strings.Replace(defaultOf(name), "$DOCUSORT_HOME", l.home, 1)
	if text == "" {
		return ""
	}
	checked, _ := checks[name](text)
	return checked
}

// refuse notes what is wrong with a variable that is set.
func (l *loader) refuse(name, text string) {
	_, origin, _ := l.lookup(name)
	l.problems = append(l.problems, Problem{Name: name, Origin: origin, Text: text})
	l.refused[name] = true
}

// needs reads the key and looks for what must be set.
func (l *loader) needs(s *Settings, need Need) {
	defer func(before int) {
		// Whatever is missing may well stand in the file that was skipped.
		if s.ConfigSkipped != nil && len(l.problems) > before {
			l.problems = append(l.problems, Problem{Origin: printable(l.path), Text: "the settings file cannot be read: " + reason(s.ConfigSkipped)})
		}
	}(len(l.problems))
	if need&NeedKey != 0 {
		l.key(s)
	}
	if need&NeedTypes != 0 && len(s.DocumentTypes) == 0 && !l.refused["DOCUSORT_DOCUMENT_TYPES"] {
		l.refuse("DOCUSORT_DOCUMENT_TYPES", "is not set: name the type codes to choose from, such as invoice,receipt (`docusort types` lists them)")
	}
}

// key finds the key. What the user has set goes before the credential, which
// the unit may bring along for everybody.
func (l *loader) key(s *Settings) {
	const name, fileName = "DOCUTRAY_API_KEY", "DOCUTRAY_API_KEY_FILE"
	value, _, set := l.lookup(name)
	fileValue, fileOrigin, fileSet := l.lookup(fileName)
	directory := l.env["CREDENTIALS_DIRECTORY"]
	var err error
	switch {
	case set && fileSet:
		l.refuse(name, "is set, and so is "+fileName+" ("+fileOrigin+"): keep one of the two")
	case set:
		if quoted(strings.TrimSpace(value)) {
			l.refuse(name, quotesText)
		} else if s.Key, err = NewKey(value); err != nil {
			l.refuse(name, err.Error())
		}
	case fileSet && l.refused[fileName]:
	case fileSet:
		if s.Key, err = ReadKey(s.KeyFile); err == nil {
			return
		}
		if errors.Is(err, fs.ErrNotExist) && !strings.Contains(fileValue, "/") {
			l.refuse(fileName, "names no file in the working folder (not shown, as it may be a key itself): write the file's whole path, or put a key into "+name)
			return
		}
		l.refuse(fileName, reason(err))
	case directory != "":
		file := filepath.Join(directory, CredentialName)
		if s.Key, err = ReadKey(file); err == nil {
			s.KeyFile = file
			return
		}
		if !errors.Is(err, fs.ErrNotExist) {
			l.problems = append(l.problems, Problem{Name: name, Origin: "credential " + CredentialName, Text: reason(err)})
			return
		}
		fallthrough
	default:
		l.refuse(name, "is not set: set it, or name a file with the key in "+fileName+", or give the systemd credential "+CredentialName)
	}
}

// result is the problems without the key, should it have got into one: users
// paste it into the wrong place.
func (l *loader) result() Problems {
	for _, in := range []string{l.env["DOCUTRAY_API_KEY"], l.file["DOCUTRAY_API_KEY"].value} {
		if in = strings.TrimSpace(in); len(in) < 8 {
			continue
		}
		for i := range l.problems {
			l.problems[i].Text = strings.ReplaceAll(l.problems[i].Text, in, redacted)
		}
	}
	return l.problems
}

const quotesText = "has quotes around it that belong to the value: leave them out (docker's --env-file does not remove them)"

// quoted reports whether s stands in quotes as a whole.
func quoted(s string) bool {
	return len(s) >= 2 && s[0] == s[len(s)-1] && (s[0] == '"' || s[0] == '\'')
}

// reason says why a file cannot be used, and for the usual causes what to do.
func reason(err error) string {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err.Error()
	}
	file := printable(pe.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no file " + file
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read " + file + ": let the user that docusort runs as read it"
	}
	return file + ": " + pe.Err.Error()
}

// maxFile in bytes bounds the settings file.
const maxFile = 1 << 20

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}
