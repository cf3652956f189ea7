package manual

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// date is the day of the pages: that of SOURCE_DATE_EPOCH, so that the same source
// makes the same pages; otherwise today.
func date() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0), nil
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

// render writes a page in the form of man(7). source is the name and version of what
// it is a part of.
func (p Page) render(source string, day time.Time) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, ".TH %s %d %s %s\n", quoted(strings.ToUpper(p.Name)), p.Section, day.UTC().Format(time.DateOnly), quoted(source))
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
