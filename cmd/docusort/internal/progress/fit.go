package progress

import (
	"fmt"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

const (
	widestBar = 30 // more says no more
	// narrowestBar is too narrow to say anything; the room is better spent on words.
	narrowestBar = 8
)

// fit renders the state in at most width columns. The counts come first, the
// detail next, and the bar gets what is left; what does not fit goes in the
// opposite order.
func (s state) fit(width int) string {
	words := display.Things(s.done, "document")
	share := 0.0
	if s.total > 0 {
		words = display.Count(s.done) + "/" + display.Count(s.total)
		share = min(1, max(0, float64(s.done)/float64(s.total)))
		// Rounded down: 100 % is when nothing is left.
		words += fmt.Sprintf(" %3d %%", int(share*100))
	}
	if detail := display.Prose(s.detail); detail != "" {
		words += "  " + detail
	}
	if room := width - display.Width(words) - len("[] "); s.total > 0 && room >= narrowestBar {
		words = bar(share, min(room, widestBar)) + " " + words
	}
	return display.Cut(words, width)
}

func bar(share float64, width int) string {
	full := int(share * float64(width))
	b := strings.Repeat("=", full)
	if full < width {
		b += ">" + strings.Repeat(" ", width-full-1)
	}
	return "[" + b + "]"
}
