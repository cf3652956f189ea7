package manual

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Book is what the pages of one program have in common.
type Book struct {
	Source string    // name and version of what the pages are a part of
	Date   time.Time // the day of that version
}

// NewBook returns the book of a version. SOURCE_DATE_EPOCH sets its date, so that
// the same source makes the same pages; otherwise it is today.
func NewBook(source string) (Book, error) {
	b := Book{Source: source, Date: time.Now()}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return b, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		b.Date = time.Unix(seconds, 0)
	}
	return b, nil
}

// Page is one manual page.
type Page struct {
	Name    string
	Section int
	Short   string // what it is, in a few words
	Parts   []Part
	Also    []string // other pages, such as docusort(1)
}

// Part is a heading and what stands under it, in this order. Everything but the
// heading may be missing.
type Part struct {
	Heading string
	Text    string // paragraphs, separated by blank lines; lines that begin with two spaces are examples
	Terms   []Term
	Below   []Part // under smaller headings, without a Below of their own
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
	for i, page := range p.Also {
		before, after := "", ","
		if i == 0 {
			before = ".SH \"SEE ALSO\"\n"
		}
		if i == len(p.Also)-1 {
			after = ""
		}
		name, section, _ := strings.Cut(page, "(")
		fmt.Fprintf(&w, "%s.BR %s (%s%s\n", before, escaped(name), section, after)
	}
	return w.Bytes()
}

func (p Part) render(w *bytes.Buffer) {
	if s := strings.Trim(p.Text, "\n"); s != "" {
		text(w, s)
	}
	for _, t := range p.Terms {
		fmt.Fprintf(w, ".TP\n.B %s\n", quoted(t.Term))
		text(w, t.Meaning)
	}
}

// text writes paragraphs. Examples are indented, and their lines stay as they are.
func text(w *bytes.Buffer, s string) {
	const beginExample, endExample = ".RS\n.nf\n", ".fi\n.RE\n"
	inExample := false
	for line := range strings.SplitSeq(s, "\n") {
		switch example := strings.HasPrefix(line, "  "); {
		case example && !inExample:
			w.WriteString(beginExample)
			inExample = true
		case !example && inExample:
			w.WriteString(endExample)
			inExample = false
		}
		if line == "" {
			w.WriteString(".PP\n")
			continue
		}
		// A line may be broken after a comma, as in a long list without spaces.
		w.WriteString(strings.ReplaceAll(escaped(strings.TrimSpace(line)), ",", `,\:`) + "\n")
	}
	if inExample {
		w.WriteString(endExample)
	}
}

var special = strings.NewReplacer(`\`, `\e`, `-`, `\-`, "`", `\(ga`, `'`, `\(aq`, `~`, `\(ti`, `^`, `\(ha`)

// escaped writes text so that it shows as it is.
func escaped(s string) string {
	s = special.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quoted is escaped, as one argument of a macro.
func quoted(s string) string { return `"` + strings.ReplaceAll(escaped(s), `"`, `\(dq`) + `"` }
