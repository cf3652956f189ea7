package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// kinds are texts by which the stand-in knows a document's type.
var kinds = []string{"Invoice. Bill to", "Receipt. Total paid", "Contract between the parties", "Dear customer, yours sincerely", "Purchase order. Deliver to"}

// typeCodes are what docusort lets the service choose from.
const typeCodes = "invoice,receipt,contract,letter,purchase_order"

// filler is what documents are filled with; where in it one begins is its own.
var filler = func() []byte {
	b := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(20, 26))
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], random.Uint64()|0x8080808080808080) // no text
	}
	return b
}()

// writeDocument makes a PDF of a size, unlike every one with another number.
func writeDocument(path string, number, size int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 256<<10)
	n, _ := fmt.Fprintf(w, "%%PDF-1.4\n1 0 obj << >>\nstream\nBT (%s, number %d) Tj ET\nendstream\nendobj\n%%", kinds[number%len(kinds)], number)
	const end = "\n%%EOF\n"
	for at, left := number*7919%len(filler), size-n-len(end); left > 0; at = 0 {
		part := filler[at:min(len(filler), at+left)]
		_, _ = w.Write(part)
		left -= len(part)
	}
	_, _ = w.WriteString(end)
	if err := w.Flush(); err != nil { // it keeps the first error
		return err
	}
	return f.Close()
}

// writeDocuments fills a folder.
func writeDocuments(dir string, n, size int) error {
	for i := range n {
		if err := writeDocument(filepath.Join(dir, fmt.Sprintf("scan-%06d.pdf", i)), i, size); err != nil {
			return err
		}
	}
	return nil
}
