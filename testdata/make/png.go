package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"
)

// pngFile draws the rows and puts the chunks right behind the header, where
// the specification allows any of the textual ones.
func pngFile(rows []row, width int, chunks ...[]byte) func() ([]byte, error) {
	return func() ([]byte, error) {
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&b, toPaletted(drawRows(rows, width))); err != nil {
			return nil, err
		}
		const header = 8 + 25 // signature and IHDR
		out := append([]byte(nil), b.Bytes()[:header]...)
		for _, c := range chunks {
			out = append(out, c...)
		}
		return append(out, b.Bytes()[header:]...), nil
	}
}

// tEXt is a chunk of Latin-1 text; the callers give it ASCII.
func tEXt(keyword, s string) []byte {
	return pngChunk("tEXt", append([]byte(keyword+"\x00"), s...))
}

// iTXt is a chunk of UTF-8 text, not compressed.
func iTXt(keyword, language, s string) []byte {
	return pngChunk("iTXt", []byte(keyword+"\x00\x00\x00"+language+"\x00\x00"+s))
}

func pngChunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}
