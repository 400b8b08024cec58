package place

import (
	"context"
	"fmt"
	"math"

	"prserver/prserv/client"
	"prserver/prserv/dbfile"
	"prserver/prserv/store"
)

// Twins are checksums that share the greatest value of their version and
// pkgarch: two packages with other contents then get the same number. A server
// gives no number out twice, but a merge of what two servers have given out
// leaves twins.

// Raised is what raising twins has done.
type Raised struct {
	Versions int64 // that had twins: pairs of version and pkgarch
	Rows     int64 // checksums that got a number of their own
	// Left counts the checksums that keep a shared number, because there is
	// none above it.
	Left int64
}

// RaiseTwins gives each of the checksums that share the greatest value of their
// version and pkgarch a number of its own, above that value, except for the one
// whose row comes first in the place. A file changes in one step at the end; a
// server gets row after row.
func (w *Work) RaiseTwins(ctx context.Context, p Place) (Raised, error) {
	if err := checkDestination(p); err != nil {
		return Raised{}, err
	}
	s, err := openScratch(ctx)
	if err != nil {
		return Raised{}, err
	}
	defer s.close()
	if err := s.function("raised", raisedValue); err != nil {
		return Raised{}, err
	}
	r, err := kinds[p.Kind].raiseTwins(ctx, w, s, p)
	if isDamaged(err) {
		err = adviseCheck(err, p)
	}
	if err == nil && r.Left > 0 {
		w.warn("%s: checksums that keep a number which others have, because a server can answer none above it: %d", p, r.Left)
	}
	return r, err
}

// raisedValue returns the value that stands so many places above the greatest
// one, or nil if there is none up to the limit.
func raisedValue(greatest string, above, limit int64, revisions bool) any {
	r, ok := store.ParseRevision(greatest)
	switch {
	case !ok || r[0] > limit-above:
		return nil
	case revisions:
		return store.Revision{r[0] + above}.String()
	}
	return r[0] + above
}

// raiseTwinsOf makes a table of the rows that give twins of t numbers of their
// own. It must not have the name of another one.
func (s *scratch) raiseTwinsOf(ctx context.Context, name string, t *table) (raised *table, r Raised, err error) {
	fail := func(err error) (*table, Raised, error) { return nil, Raised{}, err }
	if t, err = s.numbered(ctx, t); err != nil {
		return fail(err)
	}
	raised = &table{place: t.place, from: "main." + name, generation: t.generation, keyed: true}
	_, err = s.exec(ctx, fmt.Sprintf(`CREATE TABLE %s AS
		SELECT version, pkgarch, checksum, raised(CAST(value AS TEXT), above, %d, %t) AS value FROM (
			SELECT version, pkgarch, checksum, value, row_number() OVER (PARTITION BY version, pkgarch ORDER BY first) - 1 AS above FROM (
				SELECT version, pkgarch, checksum, value, min(number) AS first FROM (
					SELECT version, pkgarch, checksum, value, rowid AS number,
						rank() OVER (PARTITION BY version, pkgarch ORDER BY value COLLATE revision DESC) AS place FROM %s)
				WHERE place = 1 GROUP BY version, pkgarch, checksum))
		WHERE above > 0`, raised.from, t.limit(), t.generation.revisions, t.from))
	if err != nil {
		return fail(err)
	}
	const count = "SELECT count(*) FROM "
	if r.Left, err = s.exec(ctx, "DELETE FROM "+raised.from+" WHERE value IS NULL"); err != nil {
		return fail(err)
	}
	if r.Rows, err = s.number(ctx, count+raised.from); err != nil {
		return fail(err)
	}
	raised.rows = r.Rows
	r.Versions, err = s.number(ctx, count+"(SELECT DISTINCT version, pkgarch FROM "+raised.from+")")
	return raised, r, err
}

// limit is the greatest number that can be given out.
func (t *table) limit() int64 {
	if !t.noXML && (t.place.Kind == Server || !t.generation.revisions) {
		return maxWireValue
	}
	return math.MaxInt64
}

// add adds what was done to another table.
func (r *Raised) add(more Raised) {
	r.Versions += more.Versions
	r.Rows += more.Rows
	r.Left += more.Left
}

// tellTwins warns of the twins that a table has after a merge.
func (w *Work) tellTwins(ctx context.Context, s *scratch, t *table, dst Place) error {
	n, err := s.number(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+t.highest().from+
		" GROUP BY version, pkgarch HAVING min(checksum) <> max(checksum))")
	if err == nil {
		w.warnOfTwins(dst, n)
	}
	return err
}

// warnOfTwins warns if a merge has left so many versions with twins.
func (w *Work) warnOfTwins(dst Place, n int64) {
	if n > 0 {
		w.warn("%s: versions of which two or more checksums share the greatest value now, so different packages get the same number: %d; "+
			"give each a number of its own with: %s", dst, n, command("raise-twins", dst))
	}
}

// command is what a user types to run a verb on a place.
func command(verb string, p Place) string {
	text := "prserv-tool " + verb
	if named, err := Parse(p.Name, ""); err != nil || named != p {
		for format, kind := range Formats {
			if kind == p.Kind {
				text += " --format " + format
			}
		}
	}
	return text + " " + shellWord(p.typed())
}

// raiseTwins raises the twins of a file. If it has both tables, they are in step
// afterwards.
func (databaseKind) raiseTwins(ctx context.Context, w *Work, s *scratch, p Place) (Raised, error) {
	if err := checkFile(p.Name); err != nil {
		return Raised{}, fileError(p, "reading", dbfile.Reason(err))
	}
	var all Raised
	err := s.changeFile(ctx, p, func() error {
		// Other tables stay, so there is nothing to warn of.
		tables, err := (&Work{}).tablesOf(ctx, s, "dst_file", p)
		if err == nil && len(tables) == 0 {
			err = errNoTable
		}
		if err != nil {
			return err
		}
		for _, t := range tables {
			if !t.keyed {
				return lostKey(t.generation)
			}
		}
		newest := tables[0] // by name
		if len(tables) > 1 {
			if err := w.takeOver(ctx, s, p); err != nil {
				return err
			}
		}
		if all, err = w.raiseTwinsOfTable(ctx, s, newest); err == nil && len(tables) > 1 {
			err = s.keepStep(ctx, "dst_file."+generation1.table, newest.from)
		}
		return err
	})
	return all, err
}

// raiseTwinsOfTable raises the twins of a table of the attached file.
func (w *Work) raiseTwinsOfTable(ctx context.Context, s *scratch, t *table) (Raised, error) {
	if err := s.refuseBadRows(ctx, t); err != nil {
		return Raised{}, err
	}
	end := w.watch("raising twins of "+t.place.String(), t.rows, unknownPart)
	defer end()
	raised, r, err := s.raiseTwinsOf(ctx, "raised_of_"+t.generation.table, t)
	if err == nil {
		_, err = s.exec(ctx, raised.insertInto(t.from))
	}
	return r, err
}

// raiseTwins raises the twins of a server. Builds may go on meanwhile and make
// new ones, of which the next round takes care.
func (serverKind) raiseTwins(ctx context.Context, w *Work, s *scratch, p Place) (Raised, error) {
	const rounds = 5
	quiet := &Work{Progress: w.Progress} // that a server exports the greatest values only does not matter here
	server, err := client.Find(ctx, p.Name, client.Timeout)
	if err != nil {
		return Raised{}, ServerError(p, err)
	}
	defer server.Close()
	var all Raised
	for round := range rounds {
		t, err := quiet.readServer(ctx, s, server, p, fmt.Sprintf("twins%d", round), readOptions{lenient: true})
		if err != nil {
			return Raised{}, err
		}
		t, err = s.selectInto(ctx, fmt.Sprintf("sound%d", round), t, "NOT "+t.generation.badRows())
		if err != nil {
			return Raised{}, err
		}
		raised, r, err := s.raiseTwinsOf(ctx, fmt.Sprintf("raised%d", round), t)
		if err != nil {
			return Raised{}, err
		}
		all.Left = 0
		all.add(r)
		if r.Rows == 0 {
			return all, nil
		}
		if server.XMLRPC != nil {
			if err := s.refuseUnsendable(ctx, raised); err != nil {
				return Raised{}, err
			}
		}
		_, err = s.exec(ctx, "DROP TABLE IF EXISTS main.sent; CREATE TABLE main.sent AS SELECT *, 1 AS known FROM "+raised.from)
		if err != nil {
			return Raised{}, err
		}
		if err := w.importAll(ctx, s, server, p, r.Rows, new(Copied)); err != nil {
			return Raised{}, fmt.Errorf("%w; what it has got stays, and a second run goes on", err)
		}
	}
	return Raised{}, fmt.Errorf("%s: builds make checksums share numbers as fast as these are raised; run this again when they have ended", p)
}

func (k dumpKind) raiseTwins(ctx context.Context, w *Work, s *scratch, p Place) (Raised, error) {
	return w.raiseTwinsOfText(ctx, s, k, p)
}

func (k incKind) raiseTwins(ctx context.Context, w *Work, s *scratch, p Place) (Raised, error) {
	return w.raiseTwinsOfText(ctx, s, k, p)
}

// raiseTwinsOfText writes a text anew if it has twins. What comes from standard
// input goes to standard output in any case.
func (w *Work) raiseTwinsOfText(ctx context.Context, s *scratch, k text, p Place) (r Raised, err error) {
	err = w.replaceText(ctx, s, k, p, func(bool) (*table, error) {
		t, err := k.read(ctx, w, s, p, "whole", readOptions{})
		if err != nil {
			return nil, err
		}
		raised := (*table)(nil)
		if raised, r, err = s.raiseTwinsOf(ctx, "raised", t); err != nil {
			return nil, err
		}
		if r.Rows == 0 && p.isFile() {
			return nil, nil
		}
		if t, _, err = w.dropRepeated(ctx, s, t); err != nil {
			return nil, err
		}
		_, err = s.exec(ctx, raised.insertInto(t.from))
		return t, err
	})
	return r, err
}
