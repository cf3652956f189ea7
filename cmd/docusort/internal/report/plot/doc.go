// Package plot draws what happened over time as SVG inside HTML: no script, no
// inline style, nothing fetched. What a drawing shows also stands in a table
// beneath it, for who cannot see it or wants the numbers.
//
// Across, positions are percentages, so that a drawing fills whatever width it
// is given without its letters being stretched; down, they are pixels. Colours
// are those of classes, and left to the style sheet of the page.
package plot
