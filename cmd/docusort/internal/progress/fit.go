package progress

import (
	"fmt"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

// A bar wider than widestBar says no more. One narrower than narrowestBar says
// nothing; the room is better spent on words.
const widestBar, narrowestBar = 30, 8

// fit writes the progress in at most width columns. What does not fit goes: first
// the bar, then the detail, then the counts.
func fit(done, total int, detail string, width int) string {
	words, share := display.Things(done, "document"), 0.0
	if total > 0 {
		share = min(1, max(0, float64(done)/float64(total)))
		// Rounded down: 100 % means that nothing is left.
		words = fmt.Sprintf("%s/%s %3d %%", display.Count(done), display.Count(total), int(share*100))
	}
	if detail = display.Prose(detail); detail != "" {
		words += "  " + detail
	}
	if room := width - display.Width(words) - len("[] "); total > 0 && room >= narrowestBar {
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
