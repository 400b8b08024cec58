package place

import "context"

// kinds are the kinds of places.
var kinds = map[Kind]kind{Server: serverKind{}, Database: databaseKind{}, SQL: dumpKind{}, Inc: incKind{}}

// read makes a table of the rows of a place, known to the scratch database
// under a name.
func (w *Work) read(ctx context.Context, s *scratch, p Place, name string, o readOptions) (*table, error) {
	return kinds[p.Kind].read(ctx, w, s, p, name, o)
}
