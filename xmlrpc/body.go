package xmlrpc

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"time"
)

const (
	// maxBody is what a request may carry, packed. The largest import that
	// oe-core makes is one call a row; only a hostile one comes near.
	maxBody = 16 << 20
	// largeBody is more than any client of a PR server asks with. Two larger
	// requests are answered at a time, so that they cannot fill the memory.
	largeBody    = 64 << 10
	largeAtATime = 2
)

// isLarge tells whether a request may take much memory.
func isLarge(req *request, length int64) bool {
	_, packed := req.get("content-encoding")
	return packed || length < 0 || length > largeBody
}

// enterLarge waits until a large request may be read. It returns false when
// the client would be too late with it then.
func (h *Handler) enterLarge(ctx context.Context, deadline time.Time) (leave func(), ok bool) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case h.large <- struct{}{}:
		return func() { <-h.large }, true
	case <-ctx.Done():
		return nil, false
	}
}

// errTooLarge is a request with too large a body.
var errTooLarge = &statusError{status: 413, reason: "Request Entity Too Large"}

// readBody reads the body of a request, and undoes its coding. One that ends
// early is taken for what it is.
func readBody(r *bufio.Reader, req *request, length int64) ([]byte, error) {
	if length < 0 {
		length = maxBody + 1
	}
	body, err := io.ReadAll(io.LimitReader(r, length))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	return decodeContent(req, body)
}

// maxUnpacked is what a gzipped body may become, as in the reference.
const maxUnpacked = 20 << 20

// decodeContent undoes the coding of a request's body.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.decode_request_content.
func decodeContent(req *request, body []byte) ([]byte, error) {
	coding, ok := req.get("content-encoding")
	if !ok {
		return body, nil
	}
	switch coding = req.dialect.lower(coding); coding {
	case "identity":
		return body, nil
	case "gzip":
		data, err := gunzip(body)
		if errors.Is(err, io.ErrUnexpectedEOF) && req.dialect.TruncatedGzip != 400 {
			return nil, &statusError{status: 500, reason: internalError}
		}
		var corrupt flate.CorruptInputError
		if errors.As(err, &corrupt) {
			return nil, &statusError{status: 500, reason: internalError}
		}
		if err != nil {
			return nil, &statusError{status: 400, reason: "error decoding gzip content"}
		}
		return data, nil
	}
	return nil, &statusError{status: 501, reason: "encoding " + req.dialect.Quote(coding) + " not supported"}
}

// gunzip unpacks the members of a gzip file, which zeros may follow.
func gunzip(body []byte) ([]byte, error) {
	in := bytes.NewReader(body)
	var out bytes.Buffer
	r := new(gzip.Reader)
	for in.Len() > 0 {
		if !bytes.HasPrefix(body[len(body)-in.Len():], []byte{0x1F, 0x8B}) {
			return nil, gzip.ErrHeader
		}
		err := r.Reset(in)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		r.Multistream(false)
		if _, err := io.Copy(&out, io.LimitReader(r, maxUnpacked+1-int64(out.Len()))); err != nil {
			return nil, err
		}
		if out.Len() > maxUnpacked {
			return nil, errors.New("too much data in a gzipped body")
		}
		for in.Len() > 0 {
			if b, _ := in.ReadByte(); b != 0 {
				in.UnreadByte()
				break
			}
		}
	}
	return out.Bytes(), nil
}
