package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

// Values reads what is stored. It does not wait for whoever writes.
type Values interface {
	// Versions returns up to limit versions, from from on and below below, in the
	// order of bytes.
	Versions(ctx context.Context, from, below string, limit int) ([]string, error)
	// Export is that of a [store.Store].
	Export(ctx context.Context, f store.Filter, each func(store.Row) error) error
}

// What is read for a page at most, so that no name makes the server read the
// whole database.
const (
	mostVersions = 2000
	mostRows     = 50_000
	mostText     = 16 << 20 // bytes of the rows
	mostPast     = 20_000   // events of the history
	// pageRows is how many rows a page shows.
	pageRows = 500
)

// patience bounds the time for a page. Tests have more.
var patience = 5 * time.Second

// lookup is what is known of a package.
type lookup struct {
	Name  string `json:"name"`
	Page  int    `json:"page"`  // which page of the rows this is, from 1 on
	Pages int    `json:"pages"` // how many there are
	Total int    `json:"total"` // how many rows there are on all pages
	// Complete tells that there was no more to read than a page may read.
	Complete bool       `json:"complete"`
	Rows     []valueRow `json:"rows"`
	// Others are names of packages that begin with the name and a minus.
	Others []string `json:"others"`
	// History tells whether a history is kept, and HistoryError why none is, or why
	// it lacks something or could not be read to its beginning.
	History      bool   `json:"history"`
	HistoryError string `json:"history_error"`

	text int // bytes of the rows
}

// valueRow is a value of a checksum.
type valueRow struct {
	Version  string `json:"version"`
	Pkgarch  string `json:"pkgarch"`
	Checksum string `json:"checksum"`
	Value    string `json:"value"`
	// Stored is false for a value that the history has, and the database no longer.
	Stored   bool   `json:"stored"`
	Greatest bool   `json:"greatest"` // of its version and pkgarch
	Given    *given `json:"given"`    // nil if it is not known

	revision store.Revision
}

// Gone tells whether this is a value that was stored once.
func (r valueRow) Gone() bool { return !r.Stored && len(r.revision) > 0 }

// given says how a value came.
type given struct {
	Time       time.Time `json:"time"`
	Client     string    `json:"client"`
	Generation int       `json:"generation"`
	Method     string    `json:"method"`
	Before     string    `json:"before"` // the greatest value until then
	Imported   bool      `json:"imported"`
	Backwards  bool      `json:"backwards"` // it is below the greatest until then
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough has been read")

// lookUp reads what is known of a package, or of a version.
func (s *Status) lookUp(ctx context.Context, name string, page int) (*lookup, error) {
	l := &lookup{Name: name, Complete: true, Rows: []valueRow{}, Others: []string{}, History: s.config.History != ""}
	versions, err := s.versionsOf(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, version := range versions {
		if err := l.read(ctx, s.config.Values, version); errors.Is(err, errEnough) {
			l.Complete = false
			break
		} else if err != nil {
			return nil, err
		}
	}
	l.match(s.past(ctx, l))
	l.sort()
	l.Total = len(l.Rows)
	l.Pages = max(1, (l.Total+pageRows-1)/pageRows)
	l.Page = min(max(page, 1), l.Pages)
	l.Rows = l.Rows[(l.Page-1)*pageRows : min(l.Page*pageRows, l.Total)]
	return l, nil
}

// versionsOf returns the versions of a package, the newest first, and puts the
// names of similar packages into l.
func (s *Status) versionsOf(ctx context.Context, l *lookup) (own []string, err error) {
	name := strings.TrimPrefix(l.Name, history.AutoInc)
	for _, prefix := range []string{name, history.AutoInc + name} {
		for _, r := range [][2]string{{prefix, prefix + "\x00"}, {prefix + "-", prefix + "."}} {
			found, err := s.config.Values.Versions(ctx, r[0], r[1], mostVersions)
			if err != nil {
				return nil, err
			}
			l.Complete = l.Complete && len(found) < mostVersions
			for _, version := range found {
				if history.IsVersionOf(version, l.Name) {
					own = append(own, version)
				} else if len(l.Others) < mostVersions {
					l.Others = append(l.Others, history.PackageOf(version))
				}
			}
		}
	}
	slices.Sort(l.Others)
	l.Others = slices.Compact(l.Others)
	slices.SortFunc(own, newestFirst)
	return own, nil
}

func newestFirst(a, b string) int {
	return cmp.Or(compareNaturally(strings.TrimPrefix(b, history.AutoInc), strings.TrimPrefix(a, history.AutoInc)), strings.Compare(a, b))
}

// read adds the rows of a version. The error is errEnough where there are more
// than a page may read.
func (l *lookup) read(ctx context.Context, values Values, version string) error {
	return values.Export(ctx, store.Filter{Version: &version, Revisions: true, History: true}, func(row store.Row) error {
		checksum := textOf(row.Checksum)
		if checksum == store.Reserved {
			return nil
		}
		if len(l.Rows) >= mostRows || l.text > mostText {
			return errEnough
		}
		r := valueRow{Version: version, Pkgarch: textOf(row.Pkgarch), Checksum: checksum, Value: textOf(row.Value), Stored: true}
		r.revision, _ = store.RevisionOf(row.Value)
		l.text += len(r.Pkgarch) + len(r.Checksum) + len(r.Value)
		l.Rows = append(l.Rows, r)
		return nil
	})
}

// past returns how the values of a package came, the oldest first, and notes in l
// what keeps it from doing so. Those that the history has not written yet, or all if
// none is kept, are in memory.
func (s *Status) past(ctx context.Context, l *lookup) []history.Event {
	var events []history.Event
	l.HistoryError = cmp.Or(s.whyNoHistory(), s.whyHistoryStopped())
	if l.History {
		// A page without the whole history is better than none.
		ctx, cancel := context.WithTimeout(ctx, patience/2)
		defer cancel()
		read := 0
		err := history.ReadPackage(ctx, s.config.History, strings.TrimPrefix(l.Name, history.AutoInc), mostPast, func(e history.Event) error {
			read++
			if e.Refused() == "" && history.IsVersionOf(e.Version, l.Name) {
				events = append(events, e)
			}
			return nil
		})
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			l.HistoryError = "only the last part of the history could be read in time"
		case err != nil:
			l.HistoryError = oneLine(err.Error())
		}
		l.Complete = l.Complete && read < mostPast
		slices.Reverse(events)
	}
	for _, e := range slices.Backward(s.newest.events()) {
		if history.IsVersionOf(e.Version, l.Name) {
			events = append(events, e)
		}
	}
	return events
}

// match says of each row how it came, and adds what the history alone has.
func (l *lookup) match(events []history.Event) {
	type key struct {
		store.Key
		value string
	}
	rows := map[key]int{}
	for i, r := range l.Rows {
		of := store.Key{Version: r.Version, Pkgarch: r.Pkgarch, Checksum: r.Checksum}
		rows[key{history.Cut(of), r.Value}] = i
	}
	for _, e := range events {
		of := key{store.Key{Version: e.Version, Pkgarch: e.Pkgarch, Checksum: e.Checksum}, e.Value}
		i, ok := rows[of]
		if !ok {
			r := valueRow{Version: e.Version, Pkgarch: e.Pkgarch, Checksum: e.Checksum, Value: e.Value}
			r.revision, _ = store.ParseRevision(e.Value)
			i = len(l.Rows)
			rows[of] = i
			l.Rows = append(l.Rows, r)
		}
		if l.Rows[i].Given == nil { // the first time counts
			l.Rows[i].Given = &given{
				Time: e.Time, Client: e.Client, Generation: e.Generation, Method: e.Method, Before: e.Before,
				Imported: e.Imported(), Backwards: e.Backwards(),
			}
		}
	}
}

// sort puts the newest version first, and in it the greatest value of each
// pkgarch, which it marks.
func (l *lookup) sort() {
	slices.SortStableFunc(l.Rows, func(a, b valueRow) int {
		if a.Version != b.Version {
			return newestFirst(a.Version, b.Version)
		}
		return cmp.Or(strings.Compare(a.Pkgarch, b.Pkgarch), b.revision.Compare(a.revision),
			strings.Compare(a.Value, b.Value), strings.Compare(a.Checksum, b.Checksum))
	})
	var greatest *valueRow
	for i := range l.Rows {
		r := &l.Rows[i]
		if greatest == nil || r.Version != greatest.Version || r.Pkgarch != greatest.Pkgarch {
			greatest = nil
			if !r.Stored || len(r.revision) == 0 {
				continue
			}
			greatest = r
		}
		r.Greatest = r.Stored && r.revision.Compare(greatest.revision) == 0
	}
}

// textOf writes what is stored. Other programs may have stored anything.
func textOf(v store.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}
