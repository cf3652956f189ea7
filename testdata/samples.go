// Package testdata holds the sample documents: the content of an inbox as it
// might be after a busy morning, with the answer that is right for each.
//
// They are for `docusort demo`, which drops them into its own inbox, for tests
// that want real documents instead of invented bytes, and for a person who
// wants something to try with. All six formats of the service are there, in
// several makes each, under names that are awkward on purpose. README.md tells
// about every one of them; the program in make writes them.
//
// Types names the right answers. The API stand-in gives them too, since the
// documents carry their words where it looks; the real service is free to think
// otherwise about a picture of a tide table.
package testdata

import (
	"embed"
	"io/fs"
	"maps"
)

//go:embed all:inbox
var files embed.FS

// Inbox is the samples as a file system whose root is the inbox: the names in
// it are relative to the inbox, subfolders included.
func Inbox() fs.FS {
	sub, err := fs.Sub(files, "inbox")
	if err != nil {
		panic(err) // the name is a constant, and valid
	}
	return sub
}

// The codes of the types that the samples belong to. Other is no type to ask
// for: it is the service's catch-all for what is none of those asked for.
const (
	Invoice  = "invoice"
	Receipt  = "receipt"
	Contract = "contract"
	Other    = "other"
)

// Options are the type codes to send with the samples.
func Options() []string { return []string{Invoice, Receipt, Contract} }

// Types says which type each sample is of, by its name in Inbox. The map is the
// caller's own.
func Types() map[string]string { return maps.Clone(types) }

var types = map[string]string{
	" till  slip .png":              Receipt,
	"-rf.gif":                       Invoice,
	"Factura número 7.pdf":          Invoice,
	"Map of the harbour.gif":        Other,
	"Mietvertrag Gabelstapler.webp": Contract,
	"Minutes of the annual general meeting of the residents of Example Court, all items, as approved, with corrections, read by everybody - 2026-02-14.pdf": Other,
	"SCAN0001.PDF":                          Contract,
	"agreement.docx.pdf":                    Contract,
	"archive/2025/copy of invoice-2041.pdf": Invoice,
	"camera/IMG_0001.JPG":                   Other,
	"camera/lighthouse":                     Other,
	"february/statement.pdf":                Invoice,
	"invoice-2041.pdf":                      Invoice,
	"january/statement.pdf":                 Invoice,
	"letters/Grüße aus Zürich.pdf":          Other,
	"menu":                                  Other,
	"phone/IMG_0001.JPG":                    Receipt,
	"recibo café.jpeg":                      Receipt,
	"scan of a bill.jpg":                    Invoice,
	"scanner/2026-03-14 0007":               Receipt,
	"scanner/page 2.JPEG":                   Contract,
	"terms (signed) v1.0.PDF.pdf":           Contract,
	"tide table.final.v2.bmp":               Other,
	"till/copy #2 [paid, 100%] & done.pdf":  Receipt,
	"عقد.pdf":                               Contract,
	"契約書.bmp":                               Contract,
	"領収書 0042.webp":                         Receipt,
}
