package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"prserver/prserv/store/postgres"
)

// chooseReadings makes the table AS_chosen of those readings of the feed NAME
// that count. Its column greatest has the greatest value that known has of the
// key; known may be nil. Each call needs an AS of its own, because SQLite drops
// no table while a file is frozen.
//
// A reading that known bears out counts alone. That is one whose key has a
// value as high there: as far as one can tell, it was given out for this
// package. A value with dots is borne out only by one with dots, and a vague
// reading only together with the checksum of its count. If nothing but that
// checksum is known of a release, the readings of its way count.
//
// Otherwise all likely ones count, of the architectures that known has, if it
// has any. That known has a key of one reading does not tell that another one is
// wrong: a recipe's PR may have changed, and builds of several releases of
// oe-core may share a server.
func (s *scratch) chooseReadings(ctx context.Context, name, as string, known *table) error {
	from := "(SELECT NULL AS version, NULL AS pkgarch, NULL AS checksum, NULL AS value WHERE false)"
	if known != nil {
		from = "(SELECT * FROM " + known.from + " WHERE NOT " + known.generation.badRows() + ")"
	}
	for _, statement := range []string{
		`CREATE TABLE main.%[1]s_known (version, pkgarch, value, PRIMARY KEY (version, pkgarch));
			INSERT INTO main.%[1]s_known SELECT version, pkgarch, max(CAST(value AS TEXT) COLLATE revision) FROM %[2]s GROUP BY version, pkgarch`,
		`CREATE TABLE main.%[1]s_pkgarchs (pkgarch PRIMARY KEY);
			INSERT INTO main.%[1]s_pkgarchs SELECT DISTINCT pkgarch FROM main.%[1]s_known`,
		`CREATE TABLE main.%[1]s_counts (version, pkgarch, checksum, PRIMARY KEY (version, pkgarch, checksum));
			INSERT OR IGNORE INTO main.%[1]s_counts SELECT version, pkgarch, checksum FROM %[2]s WHERE checksum LIKE 'AUTOINC+%%'`,
		`CREATE TABLE main.%[1]s_ways (release, way, pkgarch, PRIMARY KEY (release, way, pkgarch));
			INSERT INTO main.%[1]s_ways SELECT DISTINCT release, way, pkgarch FROM main.%[3]s_readings
				WHERE auto AND (version, pkgarch, checksum) IN (SELECT version, pkgarch, checksum FROM main.%[1]s_counts)`,
		// How well each reading is borne out: 3 its number, 2 the checksum of its
		// count or a count of its way, 1 its architecture.
		`CREATE TABLE main.%[1]s_matched AS SELECT r.*, r.rowid AS number, k.value AS greatest, CASE
			WHEN NOT auto AND (NOT vague OR w.way IS NOT NULL) AND r.value <= k.value COLLATE revision
				AND (k.value LIKE '%%.%%' OR r.value NOT LIKE '%%.%%') THEN 3
			WHEN w.way IS NOT NULL AND (NOT auto OR (r.version, r.pkgarch, r.checksum) IN (SELECT version, pkgarch, checksum FROM main.%[1]s_counts)) THEN 2
			WHEN r.pkgarch IN (SELECT pkgarch FROM main.%[1]s_pkgarchs) THEN 1 ELSE 0 END AS match
			FROM main.%[3]s_readings AS r LEFT JOIN main.%[1]s_known AS k ON k.version = r.version AND k.pkgarch = r.pkgarch
			LEFT JOIN main.%[1]s_ways AS w ON w.release = r.release AND w.way = r.way AND w.pkgarch = r.pkgarch`,
		// Of a release the numbers that match best, and of their ways the counts.
		`CREATE TABLE main.%[1]s_numbers AS SELECT release, way, pkgarch, match FROM (
				SELECT *, max(match) OVER (PARTITION BY release) AS best FROM main.%[1]s_matched WHERE NOT auto AND (likely OR match > 0))
			WHERE match = best;
			CREATE INDEX main.%[1]s_numbers_key ON %[1]s_numbers (release, way, pkgarch)`,
		`CREATE TABLE main.%[1]s_chosen AS SELECT number, release, auto, version, pkgarch, value, why, format, greatest, match,
			count(*) OVER (PARTITION BY release, auto) AS among FROM (
				SELECT m.*, max(m.match) OVER (PARTITION BY release, way, pkgarch, auto) AS best FROM main.%[1]s_matched AS m
				WHERE (release, way, pkgarch) IN (SELECT release, way, pkgarch FROM main.%[1]s_numbers))
			WHERE match = best;
			CREATE INDEX main.%[1]s_chosen_key ON %[1]s_chosen (version, pkgarch)`,
	} {
		if _, err := s.exec(ctx, fmt.Sprintf(statement, as, from, name)); err != nil {
			if known != nil && known.attached {
				err = fileError(known.place, "reading", err)
			}
			return err
		}
	}
	return nil
}

// packageNames is the expression for the names of the first packages that a row
// of AS_chosen, c, comes from, with commas between.
func packageNames(name, as string) string {
	return fmt.Sprintf(`(SELECT group_concat(name, ',') FROM (SELECT DISTINCT p.name FROM main.%[1]s_chosen AS d
		JOIN main.%[2]s_packages AS p ON p.release = d.release
		WHERE d.version = c.version AND d.pkgarch = c.pkgarch ORDER BY p.name LIMIT 5))`, as, name)
}

// published makes the table AS, of the greatest value that the chosen readings
// of a feed have of each key. It takes the keys for which the condition having
// holds, and for their checksums an expression. Both know AS_chosen as c.
func (s *scratch) published(ctx context.Context, p Place, as, checksum, having string) (*table, error) {
	t := &table{place: p, from: "main." + as, generation: generation1}
	rows, err := s.exec(ctx, fmt.Sprintf(`CREATE TABLE main.%[1]s (version, pkgarch, checksum, value);
		INSERT INTO main.%[1]s SELECT version, pkgarch, %[2]s, max(value COLLATE revision) AS value FROM main.%[1]s_chosen AS c
			GROUP BY version, pkgarch HAVING %[3]s`, as, checksum, having))
	if err != nil {
		return nil, err
	}
	t.rows = rows
	revisions, err := s.number(ctx, "SELECT count(*) FROM "+t.from+" WHERE value LIKE '%.%'")
	if err == nil && revisions > 0 {
		t.generation = generation3
		return t, nil
	}
	if err == nil {
		_, err = s.exec(ctx, "UPDATE "+t.from+" SET value = CAST(value AS INTEGER)")
	}
	return t, err
}

// isNeeded holds for a row of AS_chosen, c, whose value is above all that is
// known of its key.
const isNeeded = "(greatest IS NULL OR max(value COLLATE revision) > greatest COLLATE revision)"

// narrow takes what a destination needs of a feed: one row of each key whose
// greatest value there is lower than what was published, or that is not there.
// It tells how many rows that leaves out.
func (feedKind) narrow(ctx context.Context, w *Work, s *scratch, src, dst Place, name string, o CopyOptions) (*table, int64, error) {
	fail := func(err error) (*table, int64, error) { return nil, 0, err }
	known, err := w.readDestination(ctx, s, dst, o)
	if err != nil {
		return fail(err)
	}
	needed := name + "_needed"
	if err := s.chooseReadings(ctx, name, needed, known); err != nil {
		return fail(err)
	}
	if err := w.warnOfReadings(ctx, s, src, needed); err != nil {
		return fail(err)
	}
	all, err := s.number(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT DISTINCT version, pkgarch FROM main.%s_chosen)", needed))
	if err != nil {
		return fail(err)
	}
	t, err := s.published(ctx, src, needed, "'published-' || min(format)", isNeeded)
	if err != nil {
		return fail(err)
	}
	kept := all - t.rows
	if known == nil && o.Generation == 0 { // every server can serve whole numbers
		t, _, err = w.convert(ctx, s, t, generation1)
	}
	return t, kept, err
}

// readDestination makes a table of the rows that a destination has before it is
// written. There is none if it is new, or to be written anew.
func (w *Work) readDestination(ctx context.Context, s *scratch, dst Place, o CopyOptions) (*table, error) {
	old, err := existing(dst)
	isNew := dst.isFile() && (old == nil || old.Size() == 0 || o.Replace)
	if err != nil || isNew || dst.Name == standard {
		return nil, err
	}
	t, err := w.read(ctx, s, dst, "dst_before", readOptions{lenient: true, detached: true})
	if errors.Is(err, postgres.ErrNoTables) {
		return nil, nil
	}
	return t, err
}

// warnOfReadings tells of the versions that can be read in more than one way,
// so that more than one row was taken.
func (w *Work) warnOfReadings(ctx context.Context, s *scratch, src Place, as string) error {
	of := fmt.Sprintf("FROM main.%s_chosen WHERE among > 1 AND match < 3 AND NOT auto", as)
	n, err := s.number(ctx, "SELECT count(DISTINCT release) "+of)
	if err != nil || n == 0 {
		return err
	}
	return s.walk(ctx, "SELECT why "+of+" ORDER BY number LIMIT 1", nil, func(row []driver.Value) error {
		w.warn("versions of %s that can be read in more than one way, and of which nothing is known, so that each reading gets a row: %d, such as %v",
			src, n, row[0])
		return nil
	})
}

// compareAsFeeds makes two tables comparable if one of them is of a feed: it
// takes the readings of the feed that the other one knows, and of the other the
// greatest value of each version and pkgarch, under the checksum that the feed
// has in its place.
func (s *scratch) compareAsFeeds(ctx context.Context, tables *[2]*table) error {
	of := 0 // the feed
	if tables[0].place.Kind != Feed {
		of = 1
	}
	one, other := tables[of], tables[1-of]
	if one.place.Kind != Feed {
		return nil
	}
	name := []string{"a", "b"}[of]
	as := name + "_compared"
	err := s.chooseReadings(ctx, name, as, other)
	if err != nil {
		return err
	}
	if tables[of], err = s.published(ctx, one.place, as, packageNames(name, as), "true"); err != nil {
		return err
	}
	if _, err := s.exec(ctx, fmt.Sprintf("CREATE INDEX main.%[1]s_published ON %[1]s (version, pkgarch)", as)); err != nil {
		return err
	}
	reduced := *other
	reduced.keyed = false
	reduced.from = fmt.Sprintf(`(SELECT version, pkgarch, ifnull((SELECT checksum FROM main.%s AS f
		WHERE f.version = o.version AND f.pkgarch = o.pkgarch), '') AS checksum, max(CAST(value AS TEXT) COLLATE revision) AS value
		FROM %s AS o GROUP BY version, pkgarch)`, as, other.from)
	tables[1-of] = &reduced
	return nil
}
