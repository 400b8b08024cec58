package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// isAddress tells whether a name is an http or https address.
func isAddress(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// errNoFile is returned for an address under which a server has nothing.
var errNoFile = errors.New("the server has no such file")

// readAddress reads an index or a package from a server, or if the address is
// that of a folder, its index.
func (r *reader) readAddress(ctx context.Context, name string) error {
	address, err := url.Parse(name)
	if err != nil || address.Host == "" {
		return fmt.Errorf("%.100q is no address of a server", name)
	}
	if isFeedFile(path.Base(address.Path)) {
		return r.fetch(ctx, address, func(in io.Reader, name string, size int64) error {
			return r.readNamed(ctx, in, name, path.Base(address.Path), path.Base(path.Dir(address.Path)), size)
		})
	}
	var index string
	err = r.fetch(ctx, address.JoinPath(repomd), func(in io.Reader, name string, _ int64) (err error) {
		index, err = primaryIn(in, name)
		return err
	})
	candidates := []string{index}
	if errors.Is(err, errNoFile) {
		candidates, err = []string{"Packages.gz", "Packages"}, nil
	}
	if err != nil {
		return err
	}
	for _, name := range candidates {
		file := address.JoinPath(name)
		err = r.fetch(ctx, file, func(in io.Reader, name string, size int64) error {
			return r.readNamed(ctx, in, name, path.Base(file.Path), path.Base(path.Dir(file.Path)), size)
		})
		if !errors.Is(err, errNoFile) {
			return err
		}
	}
	return fmt.Errorf("%s has neither Packages, Packages.gz nor %s; name a folder that has one, such as that of an architecture",
		address.Redacted(), repomd)
}

// fetch reads a file from a server. Messages do not show a password that the
// address has.
func (r *reader) fetch(ctx context.Context, address *url.URL, read func(in io.Reader, name string, size int64) error) error {
	name := address.Redacted()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(r.Timeout, func() { cancel(fmt.Errorf("nothing has come for %v", r.Timeout)) })
	defer silence.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// Go would unpack an index that the server sends as Content-Encoding: gzip.
	request.Header.Set("Accept-Encoding", "identity")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // it has the address once more
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", name, errNoFile)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: the server answers %s", name, response.Status)
	case response.ContentLength > r.MaxFile:
		return fmt.Errorf("%s: %w", name, errTooLarge)
	}
	body := &alive{ctx: ctx, in: response.Body, heard: func() { silence.Reset(r.Timeout) }}
	return read(body, name, response.ContentLength)
}

// alive tells that something has come.
type alive struct {
	ctx   context.Context // of the one answer that it reads
	in    io.Reader
	heard func()
}

func (a *alive) Read(p []byte) (int, error) {
	n, err := a.in.Read(p)
	if n > 0 {
		a.heard()
	}
	if cause := context.Cause(a.ctx); err != nil && cause != nil {
		return n, cause
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, errors.New("the server has sent less than it said")
	}
	return n, err
}
