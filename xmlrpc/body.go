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

	"prserver/xmlrpc/spool"
)

const (
	// maxBody is what a request may carry, packed and unpacked: as much as a
	// message of the other protocol. No PR client sends a tenth of it.
	maxBody = 16 << 20
	// largeBody is more than any client of a PR server asks with. Two larger
	// requests are answered at a time, so that they cannot fill the memory.
	largeBody    = 64 << 10
	smallBody    = 4096 // nobody counts so little
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

// readBody reads the body of a request, and undoes its coding. One that is
// shorter than announced is decoded as it is.
func readBody(r *bufio.Reader, req *request, length int64, account spool.Account) ([]byte, error) {
	if length < 0 {
		length = maxBody + 1
	}
	room := make([]byte, 0, min(length, smallBody)+1) // one more to see the end
	body, err := readAll(room, io.LimitReader(r, length), account)
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	return decodeContent(req, body, account)
}

// readAll appends all of r to data, and takes room for it as it comes. The first
// bytes are few enough not to count.
func readAll(data []byte, r io.Reader, account spool.Account) ([]byte, error) {
	for {
		if size := cap(data); len(data) == size {
			more := max(size, smallBody)
			if size > 0 {
				if err := account.Hold(more); err != nil {
					return nil, err
				}
			}
			data = append(make([]byte, 0, size+more), data...)
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// decodeContent undoes the coding of a request's body.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.decode_request_content.
func decodeContent(req *request, body []byte, account spool.Account) ([]byte, error) {
	coding, ok := req.get("content-encoding")
	if !ok {
		return body, nil
	}
	switch coding = req.dialect.lower(coding); coding {
	case "identity":
		return body, nil
	case "gzip":
		data, err := gunzip(body, account)
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
func gunzip(body []byte, account spool.Account) ([]byte, error) {
	in := bytes.NewReader(body)
	var out []byte
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
		out, err = readAll(out, io.LimitReader(r, maxBody+1-int64(len(out))), account)
		if err != nil {
			return nil, err
		}
		if len(out) > maxBody {
			return nil, errors.New("too much data in a gzipped body")
		}
		for in.Len() > 0 {
			if b, _ := in.ReadByte(); b != 0 {
				in.UnreadByte()
				break
			}
		}
	}
	return out, nil
}
