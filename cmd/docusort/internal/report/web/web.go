package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

// Style is the style sheet of every page.
//
//go:embed style.css
var Style string

// StyleHash is the source with which a content security policy allows [Style] inside
// a page, and nothing else.
func StyleHash() string {
	sum := sha256.Sum256([]byte(Style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

//go:embed sections.html
var sections string

// Templates returns a new set of the templates of sections.html.
func Templates() *template.Template { return template.Must(template.New("sections").Parse(sections)) }
