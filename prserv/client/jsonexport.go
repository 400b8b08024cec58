package client

import (
	"context"
	"fmt"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
)

// ExportedRevisions is the answer to an export. Only Rows is set if no columns
// were asked for.
type ExportedRevisions struct {
	Table, CoreVersion string
	Columns            []Column
	// Rows are as they were sent: a value is an int64 up to BitBake 2.8, and a
	// string later, whatever the server has stored.
	Rows []store.Row
}

// Export returns the rows that f lets through and that hold the greatest value
// of their version and pkgarch or, with history, all rows. With columns, it also
// describes the table. See [JSONLines.GetPR] for history.
func (c *JSONLines) Export(ctx context.Context, f store.Filter, columns bool, history *bool) (*ExportedRevisions, error) {
	args := withHistory(history, asyncrpc.Object{
		{Name: "version", Value: orNull(f.Version)},
		{Name: "pkgarch", Value: orNull(f.Pkgarch)},
		{Name: "checksum", Value: orNull(f.Checksum)},
		{Name: "colinfo", Value: columns},
	})
	v, err := c.askAtLeisure(ctx, "export", args)
	if err != nil {
		return nil, err
	}
	answer, _ := v.(asyncrpc.Object)
	meta, ok1 := answer.Get("metainfo")
	data, ok2 := answer.Get("datainfo")
	if v == nil || ok1 && ok2 && meta == nil && data == nil {
		return nil, fmt.Errorf("export: %w", ErrNoValue)
	}
	out := &ExportedRevisions{}
	if !out.setMeta(meta) {
		return nil, unexpectedJSON("export", meta)
	}
	rows, ok := data.([]any)
	if !ok {
		return nil, unexpectedJSON("export", v)
	}
	out.Rows = make([]store.Row, 0, len(rows))
	for _, r := range rows {
		row, ok := r.(asyncrpc.Object)
		if !ok {
			return nil, unexpectedJSON("export", r)
		}
		get := func(name string) store.Value {
			v, has := row.Get(name)
			ok = ok && has
			return v
		}
		out.Rows = append(out.Rows, store.Row{
			Version: get("version"), Pkgarch: get("pkgarch"), Checksum: get("checksum"), Value: get("value"),
		})
		if !ok {
			return nil, unexpectedJSON("export", r)
		}
	}
	return out, nil
}

// orNull returns a text, or nil.
func orNull(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// setMeta takes over the description of the table, which may be empty. It
// returns false if it is not one.
func (e *ExportedRevisions) setMeta(v any) bool {
	meta, ok := v.(asyncrpc.Object)
	if !ok || len(meta) == 0 {
		return ok
	}
	var infos []any
	if !take(meta, "tbl_name", &e.Table) || !take(meta, "core_ver", &e.CoreVersion) || !take(meta, "col_info", &infos) {
		return false
	}
	for _, info := range infos {
		info, _ := info.(asyncrpc.Object)
		var c Column
		var notNull, pk int64
		if !take(info, "name", &c.Name) || !take(info, "type", &c.Type) || !take(info, "notnull", &notNull) || !take(info, "pk", &pk) {
			return false
		}
		c.NotNull, c.PrimaryKey = notNull != 0, int(pk)
		e.Columns = append(e.Columns, c)
	}
	return true
}

// take reads a member of an object, and tells whether it is of the wanted type.
func take[T any](o asyncrpc.Object, name string, to *T) bool {
	v, _ := o.Get(name)
	value, ok := v.(T)
	*to = value
	return ok
}
