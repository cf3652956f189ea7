// Package plot draws what happened over time as SVG inside HTML: no script, no
// inline style, nothing fetched. A table beneath each drawing has its numbers, for
// those who cannot see it or want them.
//
// Horizontal positions are percentages, so that a drawing fills any width without
// stretched letters; vertical ones are pixels. The page's style sheet gives the
// classes their colours.
package plot
