package format

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"strconv"
)

const (
	// tailWindow is how far back from the end of the content an end mark is
	// looked for: valid files carry kilobytes after it. Most carry nothing, and
	// lastWindow finds it at less cost.
	tailWindow = 64 << 10
	lastWindow = 1 << 10
	// padWindow is how many zero bytes at the end are taken for padding.
	padWindow = 1 << 20
	// walkWindow is how much of a GIF is walked over from block to block.
	walkWindow = 1 << 20
	// maxSegments is how many segments of a JPEG are walked over. Each holds up to
	// 64 KiB, so the largest profiles and previews take some 200.
	maxSegments = 1000
)

// Complete reports whether the first size bytes of r look like a whole file of
// their format: the end mark, or the length, that the format requires is there. A
// file of an unknown format is complete when it is not empty. A file that cannot
// be read, is damaged, or needs more than a bounded look is incomplete.
func Complete(r io.ReaderAt, size int64) bool {
	if size <= 0 {
		return false
	}
	r = newBounded(r)
	head, ok := window(r, 0, min(size, SniffLength))
	if !ok {
		return false
	}
	switch Sniff(head) {
	case PDF:
		return completePDF(r, head, size)
	case JPEG:
		return completeJPEG(r, size)
	case PNG:
		return ending(r, size, func(end []byte, _ int64) bool {
			return bytes.Contains(end, []byte("IEND\xae\x42\x60\x82"))
		})
	case GIF:
		return completeGIF(r, size)
	case WebP:
		return size >= 8+int64(binary.LittleEndian.Uint32(head[4:]))
	case BMP:
		return completeBMP(head, size)
	}
	return true
}

// window reads exactly n bytes at off; it returns false when they are not there.
func window(r io.ReaderAt, off, n int64) ([]byte, bool) {
	buf := make([]byte, n)
	got, err := r.ReadAt(buf, off)
	if int64(got) < n {
		return nil, false
	}
	return buf, err == nil || err == io.EOF
}

// ending reports whether the end of the content has the mark that has looks for, in
// some bytes and their offset.
func ending(r io.ReaderAt, size int64, has func(end []byte, start int64) bool) bool {
	start := max(0, size-lastWindow)
	if last, ok := window(r, start, size-start); ok && has(bytes.TrimRight(last, "\x00"), start) {
		return true
	}
	return has(tail(r, size))
}

// tail returns the last bytes before the zeros that pad the file, and their offset.
// Some devices pad, and a download may reserve its length; either way the content
// ends before the zeros.
func tail(r io.ReaderAt, size int64) ([]byte, int64) {
	for end := size; end > 0 && size-end < padWindow; {
		start := max(0, end-tailWindow)
		buf, ok := window(r, start, end-start)
		if !ok {
			break
		}
		used := len(bytes.TrimRight(buf, "\x00"))
		if used == len(buf) {
			return buf, start
		}
		end = start + int64(used)
	}
	return nil, 0
}

var (
	linearized = regexp.MustCompile(`/Linearized\b[^>]*?/L[\x00\t\n\f\r ]+(\d{1,15})|/L[\x00\t\n\f\r ]+(\d{1,15})[^>]*?/Linearized\b`)
	pdfObject  = regexp.MustCompile(`\d[\x00\t\n\f\r ]+\d+[\x00\t\n\f\r ]+obj\b`)
)

// completePDF requires %%EOF near the end and no objects after it. A linearized
// file has a mark near its start too, and an updated file has one after each
// update, so the mark alone does not mean the end.
func completePDF(r io.ReaderAt, head []byte, size int64) bool {
	if m := linearized.FindSubmatch(head); m != nil {
		length, err := strconv.ParseInt(string(m[1])+string(m[2]), 10, 64)
		if err == nil && size < length {
			return false
		}
	}
	return ending(r, size, func(end []byte, _ int64) bool {
		i := bytes.LastIndex(end, []byte("%%EOF"))
		return i >= 0 && !pdfObject.Match(end[i:])
	})
}

// completeJPEG walks over the segments before the picture, since a thumbnail in
// one of them has an end mark of its own, then looks for the end mark after them.
func completeJPEG(r io.ReaderAt, size int64) bool {
	var picture int64
	for off, n := int64(2), 0; picture == 0; n++ {
		b, ok := window(r, off, 4)
		switch {
		case !ok || n == maxSegments || b[0] != 0xff:
			return false
		case b[1] == 0xff: // a fill byte
			off++
		case b[1] == 0x01 || b[1] >= 0xd0 && b[1] <= 0xd8: // no length
			off += 2
		case b[1] == 0xd9 || b[1] == 0: // an end without a picture
			return false
		case b[1] == 0xda:
			picture = off + 2
		default:
			off += 2 + int64(binary.BigEndian.Uint16(b[2:]))
		}
	}
	return ending(r, size, func(end []byte, start int64) bool {
		if skip := picture - start; skip > 0 {
			end = end[min(skip, int64(len(end))):]
		}
		return bytes.Contains(end, []byte{0xff, 0xd9})
	})
}

// completeGIF walks over the blocks up to the trailer. The trailer is the single
// byte 3B, which many half-written files end with by chance. Of a large file only
// the beginning is walked over, and its end must be that of a block and a trailer.
func completeGIF(r io.ReaderAt, size int64) bool {
	switch err := walkGIF(io.NewSectionReader(r, 0, min(size, walkWindow))); {
	case err == nil:
		return true
	case errors.Is(err, errNotGIF), size <= walkWindow:
		return false
	}
	return ending(r, size, func(end []byte, _ int64) bool { return bytes.HasSuffix(end, []byte("\x00\x3b")) })
}

var errNotGIF = errors.New("not a GIF")

// walkGIF returns nil where it comes to the trailer, and io.EOF where the content
// ends before.
func walkGIF(r io.Reader) error {
	in := bufio.NewReaderSize(r, 32<<10)
	skip := func(n int) bool { _, err := in.Discard(n); return err == nil }
	palette := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	var screen [13]byte
	if _, err := io.ReadFull(in, screen[:]); err != nil || !skip(palette(screen[10])) {
		return io.EOF
	}
	for {
		kind, err := in.ReadByte()
		if err != nil {
			return io.EOF
		}
		switch kind {
		case 0x3b:
			return nil
		case 0x21: // an extension: its label, then sub-blocks
			if !skip(1) {
				return io.EOF
			}
		case 0x2c: // a picture
			var image [9]byte
			if _, err := io.ReadFull(in, image[:]); err != nil || !skip(palette(image[8])+1) {
				return io.EOF
			}
		default:
			return errNotGIF
		}
		for {
			n, err := in.ReadByte()
			if err != nil || !skip(int(n)) {
				return io.EOF
			}
			if n == 0 {
				break
			}
		}
	}
}

// completeBMP computes the length of uncompressed pixels, because some programs
// leave a wrong length or zero in the header. Otherwise it trusts the header.
func completeBMP(head []byte, size int64) bool {
	b, ok := parseBMP(head)
	if !ok {
		return false
	}
	const plain, masks = 0, 3
	if (b.compression == plain || b.compression == masks) && b.depth > 0 {
		row := (b.width*int64(b.depth) + 31) / 32 * 4
		return size >= int64(b.pixels)+row*max(b.height, -b.height)
	}
	return size >= int64(b.fileSize)
}
