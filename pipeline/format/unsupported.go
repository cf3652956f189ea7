package format

import (
	"bytes"
	"strings"
)

// signatures say how files begin whose format the service does not accept. A dot stands
// for any byte. The first that matches counts.
var signatures = []struct{ begin, name string }{
	{"....ftyphe", "HEIC image"}, {"....ftypmif1", "HEIC image"}, {"....ftypmsf1", "HEIC image"},
	{"....ftypavi", "AVIF image"}, {"....ftypM4A", "sound"}, {"....ftyp", "video"},
	{"....moov", "video"}, {"....mdat", "video"}, {"\x1aE\xdf\xa3", "video"}, {"RIFF....AVI", "video"},
	{"\x00\x00\x01\xba", "video"}, {"RIFF....WAVE", "sound"}, {"ID3", "sound"}, {"fLaC", "sound"}, {"OggS", "sound"},
	{"II*\x00", "TIFF image"}, {"MM\x00*", "TIFF image"}, {"II+\x00", "TIFF image"}, {"8BPS", "Photoshop image"},
	{"\x00\x00\x00\x0cjP  ", "JPEG 2000 image"}, {"AT&TFORM", "DjVu document"},
	{"\xd0\xcf\x11\xe0", "Office document"}, {"PK\x03\x04..........................[Content_Types]", "Office document"},
	{"PK\x03\x04..........................mimetypeapplication/vnd.oasis", "OpenDocument file"},
	{"PK\x03\x04..........................mimetypeapplication/epub", "e-book"},
	{"PK", "ZIP archive"}, {"Rar!", "RAR archive"}, {"7z\xbc\xaf", "7z archive"}, {"\x1f\x8b", "gzip archive"},
	{`{\rtf`, "RTF document"}, {"%!ps", "PostScript"}, {"\x7fELF", "program"}, {"MZ", "program"},
	{"\xff\xfe", "plain text"}, {"\xfe\xff", "plain text"},
	{"<!doctype html", "web page"}, {"<html", "web page"}, {"<svg", "SVG image"}, {"<?xml", "XML"},
	{strings.Repeat(".", 257) + "ustar", "tar archive"},
	{"from: ", "e-mail"}, {"received: ", "e-mail"}, {"return-path: ", "e-mail"}, {"delivered-to: ", "e-mail"},
}

// Name returns in a few words what a file is that Sniff does not know, by the first
// SniffLength bytes of its content; "" where that is not known.
func Name(head []byte) string {
	text := isText(head)
	if text {
		head = bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))))
	}
	for _, s := range signatures {
		if begins(head, s.begin) {
			return s.name
		}
	}
	if text {
		return "plain text"
	}
	return ""
}

func begins(head []byte, pattern string) bool {
	for i := range len(pattern) {
		if i == len(head) || pattern[i] != '.' && pattern[i] != head[i] {
			return false
		}
	}
	return true
}

// isText reports whether there is something, and no control character but white space.
func isText(head []byte) bool {
	return len(head) > 0 && bytes.IndexFunc(head, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\f\r", r)
	}) < 0
}
