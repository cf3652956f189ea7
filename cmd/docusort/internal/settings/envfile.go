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
	line        int // where it begins, from 1
}

// fault is a part of the file that is not understood. Its text never quotes the
// file, which may hold a key.
type fault struct {
	line int
	text string
}

// parseFile reads NAME=value lines as systemd reads an EnvironmentFile=:
//
//	# or ; at its start   a comment; blank lines are skipped
//	NAME=value            to the end of the line, white space at both ends cut;
//	                      quotes inside are kept, \x stands for x, and a \ at
//	                      the end joins the next line
//	NAME='value'          everything up to the next ', line breaks too
//	NAME="value"          the same, where \" \\ \` \$ stand for the second
//	                      character and a \ at the end of a line joins the next
//
// A byte order mark and \r\n are allowed. What systemd would skip, or read in a
// way that nobody expects, is a fault: no =, no valid name, export, text after a
// closing quote, no closing quote, a comment that ends in \, which some versions
// continue on the next line. One fault does not hide the next.
func parseFile(b []byte) ([]entry, []fault) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	p := &parser{text: strings.ReplaceAll(string(b), "\r\n", "\n"), line: 1}
	for p.text != "" {
		p.assignment()
	}
	return p.entries, p.faults
}

type parser struct {
	text    string // what is left
	line    int    // of its beginning
	entries []entry
	faults  []fault
}

func (p *parser) fault(line int, text string) { p.faults = append(p.faults, fault{line, text}) }

func (p *parser) take(n int) string {
	s := p.text[:n]
	p.text = p.text[n:]
	p.line += strings.Count(s, "\n")
	return s
}

// rest takes what is left of the line and its end; the end is not returned.
func (p *parser) rest() string {
	n := strings.IndexByte(p.text, '\n')
	if n < 0 {
		return p.take(len(p.text))
	}
	return strings.TrimSuffix(p.take(n+1), "\n")
}

const blanks = " \t\r"

// assignment takes one line, or more where the value goes on.
func (p *parser) assignment() {
	p.take(len(p.text) - len(strings.TrimLeft(p.text, blanks)))
	if p.text == "" {
		return
	}
	line := p.line
	if c := p.text[0]; c == '\n' || c == '#' || c == ';' {
		if strings.HasSuffix(p.rest(), `\`) {
			p.fault(line, `the comment ends in \, which makes some versions of systemd skip the next line: leave it out`)
		}
		return
	}
	n := strings.IndexAny(p.text, "=\n")
	if n < 0 || p.text[n] == '\n' {
		p.rest()
		p.fault(line, "not understood: a line is NAME=value, or begins with #")
		return
	}
	name := strings.TrimRight(p.take(n), blanks)
	p.take(1)
	value, problem := p.value()
	switch {
	case strings.HasPrefix(name, "export ") || strings.HasPrefix(name, "export\t"):
		problem = "leave out the word export, which systemd does not understand"
	case !validName.MatchString(name):
		problem = "what stands before the = is not a variable's name: letters, digits and _ only, no digit first"
	case problem == "" && strings.Contains(value, "\x00"):
		problem = "the value has a NUL character"
	case problem == "" && !utf8.ValidString(value):
		problem = "the value is not UTF-8, so systemd would leave it out"
	}
	if problem != "" {
		p.fault(line, problem)
		return
	}
	p.entries = append(p.entries, entry{name, value, line})
}

// value takes the value after the = and the end of its line.
func (p *parser) value() (value, problem string) {
	p.take(len(p.text) - len(strings.TrimLeft(p.text, blanks)))
	if p.text == "" || p.text[0] != '\'' && p.text[0] != '"' {
		value, _ = p.upTo("\n")
		return value, ""
	}
	quote := p.take(1)
	start := *p
	value, closed := p.upTo(quote)
	if !closed {
		p.text, p.line = start.text, start.line // look at the other lines too
		p.rest()
		return "", "the " + quote + " that begins the value is never closed"
	}
	if strings.Trim(p.rest(), blanks) != "" {
		return "", "something follows the closing quote: quote the whole value, and put a comment on a line of its own"
	}
	return value, ""
}

// upTo takes a value and what ends it: a quote, or the end of the line.
func (p *parser) upTo(end string) (value string, found bool) {
	var b strings.Builder
	kept := 0 // bytes of b without the white space at the end of an unquoted value
	for p.text != "" {
		switch c := p.take(1); {
		case c == end:
			return b.String()[:kept], true
		case c == `\` && end != "'" && p.text != "":
			next := p.take(1)
			if end == `"` && !strings.Contains("\"\\`$\n", next) {
				b.WriteString(c)
			}
			if next != "\n" {
				b.WriteString(next)
			}
		case c == `\` && end == "\n": // ends the file
		default:
			b.WriteString(c)
			if end == "\n" && strings.Contains(blanks, c) {
				continue
			}
		}
		kept = b.Len()
	}
	return b.String()[:kept], false
}

// validName is what an environment variable may be called.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
