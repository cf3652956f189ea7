package settings

import "strings"

// Problem is one thing that is wrong with the settings.
type Problem struct {
	// Name of the variable; empty where a line of the file is not understood.
	Name string
	// Origin is "environment", FILE:LINE, or the name of the credential's
	// file; empty for what is set nowhere.
	Origin string
	// Text says what is wrong and what to do, on one line.
	Text string
}

// String is the problem on one line: NAME (ORIGIN): what is wrong.
func (p Problem) String() string {
	switch {
	case p.Name == "":
		return p.Origin + ": " + p.Text
	case p.Origin == "":
		return p.Name + ": " + p.Text
	}
	return p.Name + " (" + p.Origin + "): " + p.Text
}

// Problems is all that is wrong, and the only kind of error of [Load].
type Problems []Problem

// Error has one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
