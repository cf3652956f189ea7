package settings

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// entry is one assignment of the settings file.
type entry struct {
	name, value string
	line        int // from 1
}

// fault is a line of the file that is not understood. Its text never quotes the file,
// which may hold a key.
type fault struct {
	line int
	text string
}

const blanks = " \t\r"

// parseFile reads NAME=value lines as systemd reads an EnvironmentFile=:
//
//	# or ; at its start   a comment; blank lines are skipped
//	NAME=value            to the end of the line, white space at both ends cut;
//	                      quotes inside are kept, \x stands for x
//	NAME='value'          everything up to the next '
//	NAME="value"          the same, where \" \\ \` \$ stand for the second character
//
// A byte order mark and \r\n are allowed. What systemd would skip, or read in a way that
// nobody expects, is a fault: no =, no valid name, export, text after a closing quote, a
// comment that ends in \, which some versions continue on the next line. So is a value of
// several lines. One fault does not hide the next.
func parseFile(b []byte) (entries []entry, faults []fault) {
	text := strings.ReplaceAll(string(bytes.TrimPrefix(b, []byte("\ufeff"))), "\r\n", "\n")
	for i, line := range strings.Split(text, "\n") {
		if line = strings.Trim(line, blanks); line == "" {
			continue
		}
		if line[0] == '#' || line[0] == ';' {
			if strings.HasSuffix(line, `\`) {
				faults = append(faults, fault{i + 1, `the comment ends in \, which makes some versions of systemd skip the next line: leave it out`})
			}
			continue
		}
		name, value, problem := parseLine(line)
		if problem != "" {
			faults = append(faults, fault{i + 1, problem})
		} else {
			entries = append(entries, entry{name, value, i + 1})
		}
	}
	return entries, faults
}

func parseLine(line string) (name, value, problem string) {
	name, text, found := strings.Cut(line, "=")
	name, text = strings.TrimRight(name, blanks), strings.TrimLeft(text, blanks)
	quote := ""
	if strings.HasPrefix(text, "'") || strings.HasPrefix(text, `"`) {
		quote, text = text[:1], text[1:]
	}
	value, rest, whole := upTo(quote, text)
	switch {
	case !found:
		problem = "not understood: a line is NAME=value, or begins with #"
	case strings.HasPrefix(name, "export ") || strings.HasPrefix(name, "export\t"):
		problem = "leave out the word export, which systemd does not understand"
	case !validName.MatchString(name):
		problem = "what stands before the = is not a variable's name: letters, digits and _ only, no digit first"
	case !whole && quote == "":
		problem = `the value ends in \, which joins the next line: write it on one line`
	case !whole:
		problem = "the " + quote + " that begins the value is never closed on its line"
	case rest != "":
		problem = "something follows the closing quote: quote the whole value, and put a comment on a line of its own"
	case strings.Contains(value, "\x00"):
		problem = "the value has a NUL character"
	case !utf8.ValidString(value):
		problem = "the value is not UTF-8, so systemd would leave it out"
	}
	return name, value, problem
}

// upTo takes a value up to the quote that ends it, or up to the end of the text where there
// is none. whole is false where the value goes on in the next line.
func upTo(quote, text string) (value, rest string, whole bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i : i+1]; {
		case c == quote:
			return b.String(), strings.Trim(text[i+1:], blanks), true
		case c == `\` && quote != "'":
			if i++; i == len(text) {
				return "", "", false
			}
			if quote == `"` && !strings.Contains("\"\\`$", text[i:i+1]) {
				b.WriteString(c)
			}
		}
		b.WriteByte(text[i])
	}
	return b.String(), "", quote == ""
}

// validName is what an environment variable may be called.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
