package settings

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/pipeline/docutray"

	"github.com/sethvargo/go-envconfig"
)

// Load reads and checks all settings. environ is what os.Environ returns; the file of
// from must exist where the user named it or an instance. Relative paths are taken from
// the working folder.
//
// The error is nil or [Problems]. The settings are returned even then, with the
// default in place of each value that was refused: doctor goes on with them, and
// nothing else may.
func Load(environ []string, from Source, need Need) (*Settings, error) {
	l := &loader{Source: from, env: map[string]string{}, file: map[string]entry{}, values: map[string]string{}, refused: map[string]bool{}}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			l.env[name] = value
		}
	}
	s := Settings{Source: from, origin: func(name string) string {
		_, origin, _ := l.lookup(name)
		return origin
	}}
	l.readConfig(&s)
	l.checkNames()
	for i := range variables {
		l.setValue(&variables[i])
	}
	err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &s, Lookuper: envconfig.MapLookuper(l.values)})
	if err != nil {
		// Every value has been checked, so this is a mistake in a tag or check.
		return nil, Problems{{Text: "settings: " + err.Error()}}
	}
	l.checkNeeds(&s, need)
	l.followLinks = need&NeedFolders != 0
	l.checkConflicts(&s)
	if len(l.problems) == 0 {
		return &s, nil
	}
	return &s, l.withoutKey()
}

type loader struct {
	Source
	env      map[string]string
	file     map[string]entry
	path     string            // of the file
	values   map[string]string // checked, in the form that envconfig decodes
	problems Problems
	refused  map[string]bool // names that have a problem

	followLinks bool // to find paths inside each other
}

func (l *loader) readConfig(s *Settings) {
	l.path = l.configFile()
	b, err := readBounded(l.path)
	switch {
	case err == nil:
	case l.Config == "" && l.Instance == "" && errors.Is(err, fs.ErrNotExist):
		return
	case l.Config == "" && errors.Is(err, fs.ErrPermission):
		s.ConfigSkipped = err
		return
	default:
		l.problems = append(l.problems, Problem{Origin: display.Printable(l.path), Text: "the settings file cannot be read: " + reason(err)})
		return
	}
	s.ConfigFile = l.path
	entries, faults := parseFile(b)
	for _, f := range faults {
		l.problems = append(l.problems, Problem{Origin: l.at(f.line), Text: f.text})
	}
	for _, e := range entries {
		l.file[e.name] = e // the last one wins, as with systemd
	}
}

func (l *loader) at(line int) string { return fmt.Sprintf("%s:%d", display.Printable(l.path), line) }

// lookup returns a variable's text and where it stands. ok is false where it is
// not set or, which means the same, empty.
func (l *loader) lookup(name string) (value, origin string, ok bool) {
	names := []string{name}
	if !ours(name) {
		names = append(names, strings.ToLower(name)) // https_proxy is as common
	}
	for _, n := range names {
		if value, set := l.env[n]; set {
			value, origin = strings.TrimSpace(value), "environment"
			if e, set := l.file[n]; set && strings.TrimSpace(e.value) == value {
				origin = l.at(e.line) // systemd reads the same file
			}
			return value, origin, value != ""
		}
	}
	for _, n := range names {
		if e, set := l.file[n]; set {
			value = strings.TrimSpace(e.value)
			return value, l.at(e.line), value != ""
		}
	}
	return "", "", false
}

// setValue checks what is set for a variable. What is wrong is noted and replaced
// by the default, so that every problem is found.
func (l *loader) setValue(v *Variable) {
	if value, _, ok := l.lookup(v.Name); ok {
		checked, err := checkValue(v, value)
		if err == nil {
			l.values[v.Name] = checked
			return
		}
		l.refuse(v.Name, err.Error())
	}
	if text := l.defaultOf(v); text != "" {
		l.values[v.Name], _ = v.check(text)
	}
}

func checkValue(v *Variable, value string) (string, error) {
	switch {
	case len(value) >= 2 && value[0] == value[len(value)-1] && (value[0] == '"' || value[0] == '\''):
		return "", errors.New("has quotes around it that belong to the value: leave them out (docker's --env-file does not remove them)")
	case v.check == nil:
		return value, nil
	}
	checked, err := v.check(value)
	if err != nil && strings.Contains(value, " #") {
		err = fmt.Errorf("%w (a comment needs a line of its own)", err)
	}
	return checked, err
}

// defaultOf returns the default of a variable. HOME stands before those that
// refer to it.
func (l *loader) defaultOf(v *Variable) string {
	if v.Name == homeName {
		// Not from the file: only systemd sets it, and only for the service.
		if state, _, _ := strings.Cut(l.env["STATE_DIRECTORY"], ":"); filepath.IsAbs(state) {
			return state
		}
		if l.Instance != "" {
			return v.Default + "-" + l.Instance
		}
	}
	return strings.Replace(v.Default, "$"+homeName, l.values[homeName], 1)
}

func (l *loader) refuse(name, text string) {
	_, origin, _ := l.lookup(name)
	l.problems = append(l.problems, Problem{Name: name, Origin: origin, Text: text})
	l.refused[name] = true
}

// checkNeeds finds the key, and notes what must be set and is not.
func (l *loader) checkNeeds(s *Settings, need Need) {
	before := len(l.problems)
	if need&NeedKey != 0 {
		l.findKey(s)
		l.findCertificates(s)
	}
	if need&NeedTypes != 0 && len(s.DocumentTypes) == 0 && !l.refused[typesName] {
		l.refuse(typesName, "is not set: name the type codes to choose from, such as invoice,receipt, in "+display.Printable(l.path)+
			" ('"+l.Command("types")+"' lists them)")
	}
	if s.ConfigSkipped != nil && len(l.problems) > before {
		// What is missing may well stand in the file that was skipped.
		l.problems = append(l.problems, Problem{Origin: display.Printable(l.path), Text: "the settings file cannot be read: " + reason(s.ConfigSkipped) + ", or run this as root"})
	}
}

// withoutKey returns the problems without the key, which users paste into other
// variables too.
func (l *loader) withoutKey() Problems {
	for _, key := range []string{l.env[KeyName], l.file[KeyName].value} {
		if key = strings.TrimSpace(key); len(key) < 8 {
			continue
		}
		for i := range l.problems {
			l.problems[i].Text = strings.ReplaceAll(l.problems[i].Text, key, docutray.Redacted)
		}
	}
	return l.problems
}

// reason says why a file cannot be used and, for the usual causes, what to do.
func reason(err error) string {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err.Error()
	}
	file := display.Printable(pe.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no file " + file
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read " + file + ": let the user that docusort runs as read it"
	}
	return file + ": " + pe.Err.Error()
}

// maxFile is the largest settings file in bytes.
const maxFile = 1 << 20

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes, so it is not a settings file", display.Printable(path), maxFile)
	}
	return b, err
}
