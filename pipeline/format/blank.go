package format

import (
	"bytes"
	"io"
)

const (
	// blankBlock and blankBlocks are what is compared with zeros: all of a file of up
	// to 1 MiB, and as much of a larger one, from its first block to its last.
	blankBlock  = 4 << 10
	blankBlocks = 256
)

// Blank reports whether a file is all zeros as far as a bounded look tells: its
// length was reserved, and nothing has been written yet.
func Blank(r io.ReaderAt, size int64) bool {
	r = newBounded(r)
	buffer := make([]byte, blankBlock)
	last := max(0, size-blankBlock)
	count := min(blankBlocks, (size+blankBlock-1)/blankBlock)
	for i := range count {
		off := last * i / max(1, count-1)
		block := buffer[:min(blankBlock, size-off)]
		n, _ := r.ReadAt(block, off)
		if n < len(block) || len(bytes.TrimLeft(block, "\x00")) > 0 {
			return false
		}
	}
	return size > 0
}
