package doctor

import (
	"fmt"
	"io"
	"unicode/utf8"

	"docusort/cmd/docusort/internal/report/display"
)

// Result is what was found of one thing.
type Result struct {
	Name  string
	Wrong bool
	Text  string // what is; or what is wrong, and what to do
}

func good(name, format string, args ...any) Result {
	return Result{Name: name, Text: fmt.Sprintf(format, args...)}
}

func wrong(name, format string, args ...any) Result {
	return Result{Name: name, Wrong: true, Text: fmt.Sprintf(format, args...)}
}

// Wrong says whether anything is.
func Wrong(all []Result) bool {
	for _, r := range all {
		if r.Wrong {
			return true
		}
	}
	return false
}

// Write writes a line for each result.
func Write(w io.Writer, all []Result, color bool) error {
	width := 0
	for _, r := range all {
		width = max(width, utf8.RuneCountInString(r.Name))
	}
	for _, r := range all {
		mark, paint := "✓", "\x1b[32m"
		if r.Wrong {
			mark, paint = "✗", "\x1b[31m"
		}
		if color {
			mark = paint + mark + "\x1b[0m"
		}
		if _, err := fmt.Fprintf(w, "%s %-*s  %s\n", mark, width, r.Name, display.Prose(r.Text)); err != nil {
			return err
		}
	}
	return nil
}
