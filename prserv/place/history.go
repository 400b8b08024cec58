package place

import (
	"context"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

// historyKind is the kind of [History]. Its rows are the values that were given
// out, as far as the history goes back.
type historyKind struct{ onlyRead }

func (historyKind) removal() string { return "start a new history" }

// read leaves out refused calls, and keys that are longer than a history keeps.
func (historyKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, _ readOptions) (*table, error) {
	long := 0
	t, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		of := generation1
		err := history.Read(ctx, p.Name, history.Filter{}, func(e history.Event) error {
			if to.rows%tellEvery == 0 {
				w.progress(Progress{"reading " + p.String(), to.rows, unknownPart()})
			}
			value, ok := store.ParseRevision(e.Value)
			switch {
			case !ok:
				return nil
			case e.IsCut():
				long++
				return nil
			}
			row := store.Row{Version: e.Version, Pkgarch: e.Pkgarch, Checksum: e.Checksum, Value: value.String()}
			if n, whole := value.Whole(); whole {
				row.Value = n
			} else {
				of = generation3
			}
			return to.add(row)
		})
		return of, err
	})
	if err != nil {
		return nil, err
	}
	if long > 0 {
		w.warn("%s: values were left out, because the history has not the whole of their keys: %d", p, long)
	}
	t.place, t.mixed = p, t.generation.revisions
	return s.distinct(ctx, name+"_distinct", t) // a checksum gets several values in its life
}
