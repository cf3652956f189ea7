package format

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	zip := func(entry string) string { return "PK\x03\x04" + strings.Repeat("\x00", 26) + entry }
	for content, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1":         "HEIC image",
		"\x00\x00\x00\x1cftypmif1":                             "HEIC image",
		"\x00\x00\x00\x1cftypavif":                             "AVIF image",
		"\x00\x00\x00\x20ftypisom":                             "video",
		"\x00\x00\x00\x14ftypqt  ":                             "video",
		"\x1aE\xdf\xa3\x01\x00":                                "video",
		"RIFF\x24\x00\x00\x00AVI LIST":                         "video",
		"RIFF\x24\x00\x00\x00WAVEfmt ":                         "sound",
		"II*\x00\x08\x00\x00\x00":                              "TIFF image",
		"MM\x00*\x00\x00\x00\x08":                              "TIFF image",
		zip("[Content_Types].xml"):                             "Office document",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00":                 "Office document",
		zip("mimetypeapplication/vnd.oasis.opendocument.text"): "OpenDocument file",
		zip("scan.pdf"):                                        "ZIP archive",
		strings.Repeat("\x00", 257) + "ustar":                  "tar archive",
		"Dear Sir or Madam,\r\n\tplease find":                  "plain text",
		"From here on it is text":                              "plain text",
		"Sehr geehrte Frau M\xfcller":                          "plain text",
		"PK is not an archive, and MZ is not a program":        "plain text",
		"\xff\xfeH\x00i\x00":                                   "plain text",
		"\xef\xbb\xbf<?xml version='1.0'?>":                    "XML",
		" <!DOCTYPE html>\n<html>":                             "web page",
		"Received: from mail.example\r\nSubject: Invoice":      "e-mail",
		"{\\rtf1\\ansi":                                        "RTF document",
		"%!PS-Adobe-3.0":                                       "PostScript",
		"\x7fELF\x02\x01\x01\x00":                              "program",
		"":                                                     "",
		"\x00\x01\x02\x03":                                     "",
		"\x00\x00\x00":                                         "",
	} {
		if got := Name([]byte(content)); got != want {
			t.Errorf("Name(%q) = %q, want %q", content, got, want)
		}
	}
}
