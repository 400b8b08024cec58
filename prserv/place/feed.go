package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"

	"prserver/prserv/feed"
)

// feedKind is the kind of [Feed]. Its rows are one for each version and
// pkgarch. In place of a checksum they have the names of the binary packages
// that they come from.
type feedKind struct{ onlyRead }

func (feedKind) removal() string { return "publish the feed without its packages" }

func (feedKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, _ readOptions) (*table, error) {
	if err := w.stageFeed(ctx, s, p, name); err != nil {
		return nil, err
	}
	as := name + "_likely"
	if err := s.chooseReadings(ctx, name, as, nil); err != nil {
		return nil, err
	}
	return s.published(ctx, p, as, packageNames(name, as), "true")
}

// stageFeed makes the tables of a feed: NAME_packages, and NAME_readings of
// their versions. Packages of one recipe that have been built together share
// their readings; they have the same number in the column release.
func (w *Work) stageFeed(ctx context.Context, s *scratch, p Place, name string) error {
	_, err := s.exec(ctx, fmt.Sprintf(`CREATE TABLE main.%[1]s_packages (release, name, full, place);
		CREATE TABLE main.%[1]s_readings (release, way, auto, vague, likely, version, pkgarch, checksum, value, why, format); BEGIN`, name))
	if err != nil {
		return err
	}
	in := &feedStager{s: s, releases: map[feed.Package]int64{},
		packages: inserter{s: s, table: name + "_packages", columns: 4},
		readings: inserter{s: s, table: name + "_readings", columns: 11}}
	o := feed.Options{AllPackages: w.Feeds.AllPackages, History: w.Feeds.History, Warn: func(line string) { w.warn("%s", line) }}
	o.Progress = func(file string, part float64) { w.progress(Progress{"reading " + file, in.count, part}) }
	if p.Name == standard { // a pipe may keep it waiting
		pipe, end := untilDone(ctx, w.Stdin)
		defer end()
		o.Stdin = pipe
	}
	if err := feed.Read(ctx, p.Name, o, in.add); err != nil {
		return err
	}
	if err := cmp.Or(in.packages.end(), in.readings.end()); err != nil {
		return err
	}
	if in.count > 0 && in.readings.rows == 0 {
		w.warn("no package of %s has a number that a PR server has given out", p)
	}
	_, err = s.exec(ctx, fmt.Sprintf(`COMMIT; CREATE INDEX main.%[1]s_releases ON %[1]s_packages (release)`, name))
	return err
}

// feedStager stores the packages of a feed.
type feedStager struct {
	s                  *scratch
	count, last        int64 // packages, and the number of the last release
	releases           map[feed.Package]int64
	packages, readings inserter
}

// maxReleases bounds the releases that are remembered. Those of one that is
// forgotten are stored once more, which costs time and nothing else.
const maxReleases = 20_000

func (f *feedStager) add(p *feed.Package) error {
	f.count++
	of := *p
	of.Name, of.File, of.Line, of.Recorded = "", "", 0, nil
	if p.Recorded != nil { // compared by what it holds
		of.Name = p.Recorded.PE + " " + p.Recorded.PV + " " + p.Recorded.PR
	}
	release, known := f.releases[of]
	if !known {
		f.last++
		release = f.last
		if len(f.releases) == maxReleases {
			clear(f.releases)
		}
		f.releases[of] = release
		for _, r := range p.Readings() {
			err := f.readings.add(release, int64(r.Way), r.Auto, r.Vague, r.Likely,
				r.Version, r.Pkgarch, r.Checksum, r.Value.String(), r.Why, string(p.Format))
			if err != nil {
				return err
			}
		}
	}
	return f.packages.add(release, p.Name, p.FullVersion(), p.Where())
}

// inserter stores rows in a table of the scratch database, many at a time.
type inserter struct {
	s       *scratch
	table   string
	columns int
	rows    int64
	stmt    driver.Stmt
	batch   []driver.NamedValue
}

// add stores a row, now or later.
func (i *inserter) add(row ...driver.Value) (err error) {
	i.rows++
	for _, v := range row {
		i.batch = append(i.batch, driver.NamedValue{Ordinal: len(i.batch) + 1, Value: v})
	}
	if len(i.batch) < batchRows*i.columns {
		return nil
	}
	if i.stmt == nil {
		if i.stmt, err = i.s.prepareInsert(i.table, i.columns, batchRows); err != nil {
			return err
		}
	}
	return i.store(i.stmt)
}

// end stores what is left.
func (i *inserter) end() error {
	if i.stmt != nil {
		defer i.stmt.Close()
	}
	if len(i.batch) == 0 {
		return nil
	}
	stmt, err := i.s.prepareInsert(i.table, i.columns, len(i.batch)/i.columns)
	if err != nil {
		return err
	}
	defer stmt.Close()
	return i.store(stmt)
}

func (i *inserter) store(stmt driver.Stmt) error {
	err := storeBatch(stmt, i.batch)
	i.batch = i.batch[:0]
	return err
}
