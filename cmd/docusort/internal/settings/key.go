package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"docusort/pipeline/docutray"
)

// findKey finds the key. What the user has set goes before the credential, which
// the unit may bring along for everybody.
func (l *loader) findKey(s *Settings) {
	value, _, set := l.lookup(KeyName)
	fileValue, fileOrigin, fileSet := l.lookup(keyFileName)
	switch {
	case l.refused[KeyName] || l.refused[keyFileName]:
	case set && fileSet:
		l.refuse(KeyName, "is set, and so is "+keyFileName+" ("+fileOrigin+"): keep one of the two")
	case set:
		keys := docutray.StaticKey(value)
		if _, err := keys.Key(); err != nil {
			l.refuse(KeyName, err.Error())
			return
		}
		s.Keys = keys
		if _, inEnvironment := l.env[KeyName]; !inEnvironment {
			s.KeyExposed = exposed(l.path)
		}
	case fileSet:
		keys, err := docutray.FileKey(s.KeyFile)
		switch {
		case err == nil:
			s.Keys, s.KeyExposed = keys, exposed(s.KeyFile)
		case errors.Is(err, fs.ErrNotExist) && !strings.Contains(fileValue, "/"):
			l.refuse(keyFileName, "names no file in the working folder (not shown, as it may be a key itself): write the file's whole path, or put a key into "+KeyName)
		default:
			l.refuse(keyFileName, reason(err))
		}
	case l.env["CREDENTIALS_DIRECTORY"] != "":
		l.findCredential(s)
	default:
		l.findInstalled(s)
	}
}

// exposed returns a path if others than its owner can read the file.
func exposed(path string) string {
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o044 == 0 {
		return ""
	}
	return path
}

// findCredential reads the key that systemd hands to a service: a copy of a file, which
// is empty where there is none.
func (l *loader) findCredential(s *Settings) {
	path := filepath.Join(l.env["CREDENTIALS_DIRECTORY"], CredentialName)
	keys, err := docutray.FileKey(path)
	if err == nil {
		s.Keys, s.KeyFile = keys, path
		return
	}
	l.refuse(KeyName, l.InstalledKey()+" has no usable key: put it there, alone, with mode 600, and start the service again ("+reason(err)+")")
}

// findInstalled reads the key of the service, for commands that root runs. Not with
// settings from elsewhere, which could send the key to another host.
func (l *loader) findInstalled(s *Settings) {
	path, err := l.InstalledKey(), error(fs.ErrNotExist)
	if l.Config == "" {
		s.Keys, err = docutray.FileKey(path)
	}
	switch {
	case err == nil:
		s.KeyFile, s.KeyExposed = path, exposed(path)
	case errors.Is(err, fs.ErrPermission):
		s.KeyOfRoot = path
		l.refuse(KeyName, "is in "+path+", which only root can read: run this as root")
	case errors.Is(err, fs.ErrNotExist):
		l.refuse(KeyName, "is not set: put it into "+l.InstalledKey()+", of mode 600, for the service; or set it, or name a file with the key in "+keyFileName)
	default:
		l.refuse(KeyName, reason(err))
	}
}
