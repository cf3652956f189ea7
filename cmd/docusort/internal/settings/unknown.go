package settings

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

func (l *loader) checkNames() {
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		_, inFile := l.file[name]
		if ours(name) && !known(name) && !inFile && !l.kubernetes(name) {
			l.unknown(name, "environment")
		}
	}
	inOrder := slices.SortedFunc(maps.Values(l.file), func(a, b entry) int { return cmp.Compare(a.line, b.line) })
	for _, e := range inOrder {
		if known(e.name) {
			continue
		}
		// systemd hands all of the file over, so it may set variables of other
		// programs; but DOCSORT_HOOK is surely misspelt.
		if guess, distance := nearest(e.name); ours(e.name) || guess != "" && distance <= 2 {
			l.unknown(e.name, l.at(e.line))
		}
	}
}

func (l *loader) unknown(name, origin string) {
	text := "there is no such setting: see config.example.env for those there are"
	if guess, _ := nearest(name); guess != "" {
		text = "there is no such setting: did you mean " + guess + "?"
	}
	l.problems = append(l.problems, Problem{Name: display.Printable(name), Origin: origin, Text: text})
}

// ours reports whether a name has one of our prefixes, in any case.
func ours(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(upper, "DOCUSORT_") || strings.HasPrefix(upper, "DOCUTRAY_")
}

func known(name string) bool {
	return slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name })
}

// kubernetes reports whether a name is one that Kubernetes sets in every pod
// beside a Service called docusort.
func (l *loader) kubernetes(name string) bool {
	_, service := l.env["DOCUSORT_SERVICE_HOST"]
	return service && (strings.HasPrefix(name, "DOCUSORT_SERVICE_") || name == "DOCUSORT_PORT" || strings.HasPrefix(name, "DOCUSORT_PORT_"))
}

// nearest returns the variable that name is most like and how many letters differ, or
// "" where name is like none.
func nearest(name string) (best string, letters int) {
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	letters = len(name)/4 + 1
	for _, v := range variables {
		if !ours(v.Name) {
			continue // HTTP_PROXY is not a misspelt HTTPS_PROXY
		}
		if d := distance(name, v.Name); d < letters {
			best, letters = v.Name, d
		}
	}
	return best, letters
}

// distance is the number of letters to insert, delete or change in a to get b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
