package prserv

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
)

// Source: lib/prserv/serv.py:PRServerClient.handle_export of BitBake 2.8 and 2.10.
func (s *Server) jsonExport(ctx context.Context, r *request) (any, error) {
	f, columnInfo, err := r.filter(s.text)
	if err != nil {
		return nil, err
	}
	meta := objectOf()
	if columnInfo {
		columns, err := s.service.columns(ctx, f.Revisions)
		if err != nil {
			return s.exportFailed(r, err)
		}
		meta = tableInfo(columns, f.Revisions, objectOf)
	}
	return asyncrpc.Stream(func(w io.Writer) error {
		err := s.writeExport(ctx, w, meta, f)
		if err == nil {
			return nil
		}
		if _, words := s.commandFailed(r, err); words != nil {
			return words
		}
		return err
	}), nil
}

// exportFailed is commandFailed for an export, whose answer to BitBake 1.52 to 2.6
// is not just null.
func (s *Server) exportFailed(r *request, err error) (any, error) {
	if _, err = s.commandFailed(r, err); err != nil {
		return nil, err
	}
	return asyncrpc.Object{{Name: "metainfo", Value: nil}, {Name: "datainfo", Value: nil}}, nil
}

func (s *Server) writeExport(ctx context.Context, w io.Writer, meta any, f store.Filter) error {
	buffered := bufio.NewWriterSize(w, 32<<10)
	line := asyncrpc.Append([]byte(`{"metainfo": `), meta)
	line = append(line, `, "datainfo": [`...)
	comma := ""
	err := s.service.export(ctx, f, func(row store.Row) error {
		if !truth(row.Version) { // the reference leaves out an empty version
			return nil
		}
		out, err := jsonRow(row)
		if err != nil {
			return err
		}
		line = append(line, comma...)
		comma = ", "
		_, err = buffered.Write(asyncrpc.Append(line, out))
		line = line[:0]
		return err
	})
	if err != nil {
		return err
	}
	buffered.Write(append(line, "]}"...))
	return buffered.Flush()
}

// filter returns which rows an export is to have, and whether it is to describe
// the columns. Text is Python's str().
func (r *request) filter(text func(any) (string, error)) (f store.Filter, columnInfo bool, err error) {
	for _, c := range []struct {
		name string
		to   **string
	}{{"version", &f.Version}, {"pkgarch", &f.Pkgarch}, {"checksum", &f.Checksum}} {
		v, err := r.arg(c.name)
		if err != nil {
			return f, false, err
		}
		if !truth(v) {
			continue
		}
		text, err := text(plain(v))
		if err == nil && !utf8.ValidString(text) {
			err = errNoText
		}
		if err != nil {
			return f, false, &requestError{fmt.Errorf("export: %s: %w", c.name, err)}
		}
		*c.to = &text
	}
	info, err := r.arg("colinfo")
	m := r.mode()
	f.Revisions, f.History = m.Revisions, m.History
	return f, truth(info), err
}
