package settings

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Source is where settings come from beside the environment. It is also the one place
// that decides how docusort is called with the same settings.
type Source struct {
	Config   string // the file that the user named; empty: [DefaultConfigFile] if it exists
	Instance string // the NAME of docusort@NAME; empty: none

	folder string // instead of [configFolder], for tests
}

// Check refuses what is not the name of an instance, and one together with a file.
func (s Source) Check() error {
	switch {
	case s.Instance == "":
		return nil
	case s.Config != "":
		return errors.New("--config and --instance exclude each other: --instance NAME stands for --config /etc/docusort/NAME.env")
	case !instanceName.MatchString(s.Instance):
		return errors.New("--instance " + show(s.Instance) + ": give the NAME of docusort@NAME, of letters, digits and dashes")
	}
	return nil
}

var instanceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// Command returns the command line of docusort, with these words, for these settings.
func (s Source) Command(words string) string {
	command := "docusort "
	switch {
	case s.Instance != "":
		command += "--instance " + s.Instance + " "
	case s.Config != "":
		path, err := filepath.Abs(s.Config)
		if err != nil {
			path = s.Config
		}
		command += "--config " + shellWord(path) + " "
	}
	return command + words
}

// Refile returns the command line that files a document under a type.
func (s Source) Refile(id int64, kind string) string {
	return s.Command("refile " + strconv.FormatInt(id, 10) + " " + shellWord(kind))
}

// Unit is the name of the service without ".service".
func (s Source) Unit() string {
	if s.Instance != "" {
		return "docusort@" + s.Instance
	}
	return "docusort"
}

// Where is the unit and the machine, for a report that lies beside those of others.
func (s Source) Where() string {
	host, err := os.Hostname()
	if err != nil {
		return s.Unit()
	}
	return s.Unit() + " on " + host
}

// InstalledKey is where the service that has a package's unit takes its key from.
func (s Source) InstalledKey() string {
	if s.Instance != "" {
		return s.in(s.Instance + ".api-key")
	}
	return s.in("api-key")
}

// configFolder has the settings and keys of the services.
const configFolder = "/etc/docusort"

func (s Source) in(name string) string { return filepath.Join(cmp.Or(s.folder, configFolder), name) }

func (s Source) configFile() string {
	if s.Instance != "" {
		return s.in(s.Instance + ".env")
	}
	return cmp.Or(s.Config, s.in("docusort.env"))
}

// shellWord is a text as one word of a command line.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)
