package doctor

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"docusort/cmd/docusort/internal/report/display"
)

// Result is what one check found.
type Result struct {
	Name  string
	Wrong bool
	Text  string // what was found; or what is wrong, and what to do
}

// OK is the result of a check that found nothing wrong.
func OK(name, format string, args ...any) Result {
	return Result{Name: name, Text: fmt.Sprintf(format, args...)}
}

// Wrong is the result of a check that found something wrong.
func Wrong(name, format string, args ...any) Result {
	return Result{Name: name, Wrong: true, Text: fmt.Sprintf(format, args...)}
}

// AnyWrong reports whether anything is wrong.
func AnyWrong(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Wrong })
}

// Write writes a line for each result.
func Write(w io.Writer, results []Result, color bool) error {
	width := 0
	for _, r := range results {
		width = max(width, utf8.RuneCountInString(r.Name))
	}
	for _, r := range results {
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
