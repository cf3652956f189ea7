package pipeline

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"

	"docusort/pipeline/filing"
	"docusort/store"
)

// content reads a document for an upload. Where the hash at its end is not that of the
// document that was admitted, Read fails, so that the request is never completed.
type content struct {
	*os.File
	sum  hash.Hash
	want []byte
}

// openContent opens the file of a document. [filing.ErrChanged]: it is not the one
// that was admitted.
func (p *Pipeline) openContent(doc *store.Document) (*content, error) {
	f, id, err := filing.Open(placeOf(p.Inbox, doc))
	if err != nil {
		return nil, err
	}
	if id.Size != doc.Identity.Size {
		f.Close()
		return nil, filing.ErrChanged
	}
	return &content{f, sha256.New(), doc.SHA256}, nil
}

// Read implements io.Reader.
func (c *content) Read(b []byte) (int, error) {
	n, err := c.File.Read(b)
	c.sum.Write(b[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(c.sum.Sum(nil), c.want) {
		err = filing.ErrChanged
	}
	return n, err
}
