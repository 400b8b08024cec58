package xmlrpc

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip" // packs twice as fast as the standard library
)

// acceptedCoding is one coding of an Accept-Encoding header, with its weight.
var acceptedCoding = regexp.MustCompile(`(?i)^\s*([^\s;]+)\s*(?:;\s*q\s*=\s*([0-9.]+))?`)

// acceptsGzip tells whether the client takes a gzipped reply.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.accept_encodings.
func acceptsGzip(req *request) bool {
	header, _ := req.get("accept-encoding")
	if header == "gzip" {
		return true
	}
	plain := []byte(header)
	for i, b := range plain {
		if req.dialect.isSpace(b) {
			plain[i] = ' '
		}
	}
	accepted := false
	for _, coding := range strings.Split(string(plain), ",") {
		if m := acceptedCoding.FindStringSubmatch(coding); m != nil && m[1] == "gzip" {
			q, err := strconv.ParseFloat(m[2], 64)
			accepted = m[2] == "" || err == nil && q != 0
		}
	}
	return accepted
}

// gzipped packs data.
func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // fails for unknown levels only
	w.Write(data)                                     // a Buffer takes everything
	w.Close()
	return out.Bytes()
}

// packer packs what is written to it, if that is wanted and it becomes longer
// than gzipThreshold.
type packer struct {
	out    io.Writer
	pack   bool
	start  []byte // what has been written as long as nothing is decided
	packed *gzip.Writer
}

func (p *packer) Write(data []byte) (int, error) {
	switch {
	case p.packed != nil:
		return p.packed.Write(data)
	case !p.pack:
		return p.out.Write(data)
	}
	p.start = append(p.start, data...)
	if len(p.start) <= gzipThreshold {
		return len(data), nil
	}
	p.packed, _ = gzip.NewWriterLevel(p.out, gzip.BestSpeed) // fails for unknown levels only
	_, err := p.packed.Write(p.start)
	return len(data), err
}

func (p *packer) Close() error {
	if p.packed != nil {
		return p.packed.Close()
	}
	_, err := p.out.Write(p.start)
	return err
}
