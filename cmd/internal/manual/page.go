package manual

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Book is what the pages of one program have in common.
type Book struct {
	Source string    // name and version of what the pages are a part of
	Date   time.Time // the day of that version
}

// Page is one manual page.
type Page struct {
	Name    string
	Section int
	Short   string // what it is, in a few words
	Parts   []Part
	Also    []string // other pages, such as docusort(1)
}

// Part is a heading with what stands under it, in this order; all but the
// heading may be missing.
type Part struct {
	Heading string
	Text    string // paragraphs, separated by blank lines; lines begun with two spaces stay as they are
	Terms   []Term
	Below   []Part // under smaller headings; what is below these is not written
}

// Term is something and what it means.
type Term struct{ Term, Meaning string }

// Write writes a page into a folder, as NAME.SECTION.
func (b Book) Write(dir string, p Page) error {
	file := filepath.Join(dir, fmt.Sprintf("%s.%d", p.Name, p.Section))
	return os.WriteFile(file, b.render(p), 0o644)
}

func (b Book) render(p Page) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, ".TH %s %d %s %s\n", quoted(strings.ToUpper(p.Name)), p.Section,
		b.Date.UTC().Format(time.DateOnly), quoted(b.Source))
	w.WriteString(".ad l\n.nh\n") // neither stretched nor hyphenated: names and options stay as they are
	fmt.Fprintf(&w, ".SH NAME\n%s \\- %s\n", escaped(p.Name), escaped(p.Short))
	for _, part := range p.Parts {
		fmt.Fprintf(&w, ".SH %s\n", quoted(strings.ToUpper(part.Heading)))
		part.render(&w)
		for _, below := range part.Below {
			fmt.Fprintf(&w, ".SS %s\n", quoted(below.Heading))
			below.render(&w)
		}
	}
	if len(p.Also) > 0 {
		w.WriteString(".SH \"SEE ALSO\"\n")
		for i, page := range p.Also {
			name, section, _ := strings.Cut(page, "(")
			end := ","
			if i == len(p.Also)-1 {
				end = ""
			}
			fmt.Fprintf(&w, ".BR %s (%s%s\n", escaped(name), section, end)
		}
	}
	return w.Bytes()
}

func (p Part) render(w *bytes.Buffer) {
	first := true
	for paragraph := range strings.SplitSeq(strings.Trim(p.Text, "\n"), "\n\n") {
		if paragraph == "" {
			continue
		}
		if !first {
			w.WriteString(".PP\n")
		}
		first = false
		text(w, paragraph)
	}
	for _, t := range p.Terms {
		fmt.Fprintf(w, ".TP\n.B %s\n", quoted(t.Term))
		text(w, t.Meaning)
	}
}

// text writes a paragraph. Lines that are indented are examples and are not
// filled.
func text(w *bytes.Buffer, s string) {
	inExample := false
	for line := range strings.SplitSeq(s, "\n") {
		if example := strings.HasPrefix(line, "  "); example != inExample {
			w.WriteString(map[bool]string{true: ".RS\n.nf\n", false: ".fi\n.RE\n"}[example])
			inExample = example
		}
		// A line may be broken after a comma, as in a long list without spaces.
		w.WriteString(strings.ReplaceAll(escaped(strings.TrimSpace(line)), ",", `,\:`) + "\n")
	}
	if inExample {
		w.WriteString(".fi\n.RE\n")
	}
}

var special = strings.NewReplacer(`\`, `\e`, `-`, `\-`, "`", `\(ga`, `'`, `\(aq`, `~`, `\(ti`, `^`, `\(ha`)

// escaped writes text so that it is shown as it is.
func escaped(s string) string {
	s = special.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quoted is escaped, as one argument of a macro.
func quoted(s string) string { return `"` + strings.ReplaceAll(escaped(s), `"`, `\(dq`) + `"` }
