package settings

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"docusort/pipeline/docutray"
)

// findKey finds the key. What the user has set goes before the credential, which
// the unit may bring along for everybody.
func (l *loader) findKey(s *Settings) {
	value, _, set := l.lookup(keyName)
	fileValue, fileOrigin, fileSet := l.lookup(keyFileName)
	switch {
	case l.refused[keyName] || l.refused[keyFileName]:
	case set && fileSet:
		l.refuse(keyName, "is set, and so is "+keyFileName+" ("+fileOrigin+"): keep one of the two")
	case set:
		keys := docutray.StaticKey(value)
		if _, err := keys.Key(); err != nil {
			l.refuse(keyName, err.Error())
			return
		}
		s.Keys = keys
	case fileSet:
		keys, err := docutray.FileKey(s.KeyFile)
		switch {
		case err == nil:
			s.Keys = keys
		case errors.Is(err, fs.ErrNotExist) && !strings.Contains(fileValue, "/"):
			l.refuse(keyFileName, "names no file in the working folder (not shown, as it may be a key itself): write the file's whole path, or put a key into "+keyName)
		default:
			l.refuse(keyFileName, reason(err))
		}
	default:
		l.findCredential(s)
	}
}

// findCredential reads the key that systemd hands to a service.
func (l *loader) findCredential(s *Settings) {
	err := error(fs.ErrNotExist)
	if directory := l.env["CREDENTIALS_DIRECTORY"]; directory != "" {
		s.KeyFile = filepath.Join(directory, CredentialName)
		s.Keys, err = docutray.FileKey(s.KeyFile)
	}
	switch {
	case err == nil:
		return
	case errors.Is(err, fs.ErrNotExist):
		l.refuse(keyName, "is not set: set it, or name a file with the key in "+keyFileName+", or give the systemd credential "+CredentialName)
	default:
		l.problems = append(l.problems, Problem{Name: keyName, Origin: "credential " + CredentialName, Text: reason(err)})
	}
	s.KeyFile = ""
}
