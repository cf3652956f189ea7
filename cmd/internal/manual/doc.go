// Package manual writes manual pages in the form of man(7). The page of a command
// is made of its own help, so that the two cannot differ; other pages are made of
// paragraphs and lists of terms.
package manual
