package place

import "context"

// convert makes a table what a generation can hold, and tells how many rows
// that leaves out.
func (w *Work) convert(ctx context.Context, s *scratch, t *table, to *generation) (*table, int64, error) {
	switch {
	case t.generation == to:
		return t, 0, nil
	case to.revisions:
		out := *t
		out.generation, out.keyed = to, false
		out.from = "(SELECT version, pkgarch, checksum, CAST(value AS TEXT) AS value FROM " + t.from + ")"
		return &out, 0, nil
	}
	return w.toWholeNumbers(ctx, s, t, to)
}

// toWholeNumbers keeps the greatest whole number of each checksum. Where the
// greatest value of a version and pkgarch is none, such as 3.1, the next one
// takes its place, 4: with 3 the numbers would go back. There always is one,
// because the parts of a revision have at most 18 digits.
func (w *Work) toWholeNumbers(ctx context.Context, s *scratch, t *table, to *generation) (*table, int64, error) {
	out := &table{place: t.place, from: "main.wholes", generation: to, keyed: true}
	_, err := s.exec(ctx, `CREATE TABLE main.wholes (version, pkgarch, checksum, value, PRIMARY KEY (version, pkgarch, checksum));
		INSERT INTO main.wholes SELECT version, pkgarch, checksum, max(CAST(value AS INTEGER)) FROM `+t.from+`
			WHERE value NOT LIKE '%.%' GROUP BY version, pkgarch, checksum`)
	if err != nil {
		return nil, 0, err
	}
	raised, err := s.exec(ctx, `INSERT INTO main.wholes
		SELECT version, pkgarch, checksum, CAST(greatest AS INTEGER) + 1 FROM (
			SELECT version, pkgarch, checksum, max(value COLLATE revision) AS greatest FROM `+t.from+`
			WHERE value LIKE '%.%' GROUP BY version, pkgarch) AS p
		WHERE CAST(greatest AS INTEGER) >= ifnull((SELECT max(value) FROM main.wholes AS w
			WHERE w.version = p.version AND w.pkgarch = p.pkgarch), -1)
		ON CONFLICT DO UPDATE SET value = excluded.value`)
	if err != nil {
		return nil, 0, err
	}
	if raised > 0 {
		w.warn("%s: values such as 3.1, which were the greatest of their version, became the next whole number, "+
			"so that numbers do not go back: %d", t.place, raised)
	}
	if out.rows, err = s.number(ctx, "SELECT count(*) FROM main.wholes"); err != nil {
		return nil, 0, err
	}
	left := t.rows - out.rows
	if left > 0 {
		w.warn("%s: values were left out, because they are not whole numbers or not the greatest of their checksum: %d", t.place, left)
	}
	return out, left, nil
}

// distinct makes a table in which every key comes once: of several values the
// greatest stays.
func (s *scratch) distinct(ctx context.Context, name string, t *table) (*table, error) {
	out := &table{place: t.place, from: "main." + name, generation: t.generation, mixed: t.mixed}
	_, err := s.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value, PRIMARY KEY ("+t.generation.keyColumns()+")); "+
		t.insertInto(out.from))
	if err != nil {
		return nil, err
	}
	out.rows, err = s.number(ctx, "SELECT count(*) FROM "+out.from)
	return out, err
}
