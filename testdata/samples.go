// Package testdata holds the sample documents: the contents of an inbox after a
// busy morning, and the right type of each document.
//
// `docusort demo` drops them into its own inbox, tests use them where real
// documents say more than invented bytes, and a person may try docusort with
// them. All six formats are there, under names that are awkward on purpose.
// README.md describes each of them.
//
// The stand-in gives the types of Types, because the documents carry their words
// as plain bytes. The real service may decide otherwise about a picture of a
// tide table.
package testdata

import (
	"embed"
	"io/fs"
	"maps"
)

//go:embed all:inbox
var files embed.FS

// Inbox returns the samples as a file system whose root is the inbox.
func Inbox() fs.FS {
	sub, err := fs.Sub(files, "inbox")
	if err != nil {
		panic(err) // the name is a valid constant
	}
	return sub
}

// The types of the samples. Other is not an option: the service answers it where
// no option fits.
const (
	Invoice  = "invoice"
	Receipt  = "receipt"
	Contract = "contract"
	Other    = "other"
)

// Options are the type codes to send with the samples.
func Options() []string { return []string{Invoice, Receipt, Contract} }

// Types returns the type of each sample, by its name in Inbox. The caller may
// change the map.
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
