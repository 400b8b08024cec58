package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
	"prserver/prserv/store/batch"
)

// sqlRead reads what is stored of many keys, in one snapshot. It looks for the
// values of a checksum if they are asked for, or nobody knows who has the
// greatest. LIMIT makes PostgreSQL look up each key.
const sqlRead = `SELECT r.n, (SELECT revisions FROM prserv_state), g.greatest, g.holder = r.checksum, w.first, w.last, w.first_whole, w.last_whole
	FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) WITH ORDINALITY AS r(version, pkgarch, checksum, own, n)
	CROSS JOIN LATERAL (SELECT id, greatest, holder FROM prgroup
		WHERE version = r.version AND pkgarch = r.pkgarch LIMIT 1) AS g
	LEFT JOIN LATERAL (` + selectSpans + ` FROM prvalue
		WHERE (r.own OR g.holder IS NULL) AND group_id = g.id AND checksum = r.checksum) AS w ON true`

// selectSpans finds the least and the greatest value, of all and of the whole
// numbers.
const selectSpans = `SELECT min(value) AS first, max(value) AS last,
	min(value) FILTER (WHERE cardinality(value) = 1) AS first_whole, max(value) FILTER (WHERE cardinality(value) = 1) AS last_whole`

// look asks what is stored of a key.
type look struct {
	key store.Key
	own bool // what values the checksum has, even if it has not the greatest
}

// found is what is stored of a key.
type found struct {
	values
	greatest  store.Revision // of the group
	holds     bool           // the checksum has the greatest value
	revisions bool           // older values stay: see schema/001_values.sql
}

// reader reads what is stored, for many calls at once.
type reader struct {
	*batch.Batcher[look, found]
	link *link
}

func startReader(l *link) *reader {
	r := &reader{link: l}
	r.Batcher = batch.Start(r.read, l.look)
	return r
}

func (r *reader) close() {
	if r != nil {
		r.Close()
		r.link.close()
	}
}

// read answers calls, as [batch.Start] says. The calls have come before, so what
// is read is not older than what anybody was answered before them.
func (r *reader) read(calls []*batch.Call[look, found]) (failed bool, err error) {
	wanted := func() bool { return anyWaits(calls) }
	err = r.link.do(wanted, func(ctx context.Context, c *pgx.Conn) error { return readAll(ctx, c, calls) })
	return err != nil && !passes(err), err
}

// anyWaits tells whether anybody still waits for one of the calls.
func anyWaits[Q, A any](calls []*batch.Call[Q, A]) bool {
	for _, c := range calls {
		if c.Ended() == nil {
			return true
		}
	}
	return false
}

func readAll(ctx context.Context, c *pgx.Conn, calls []*batch.Call[look, found]) error {
	versions, pkgarchs, checksums := make([]string, len(calls)), make([]string, len(calls)), make([]string, len(calls))
	own := make([]bool, len(calls))
	for i, call := range calls {
		k := call.Ask.key
		versions[i], pkgarchs[i], checksums[i], own[i] = k.Version, k.Pkgarch, k.Checksum, call.Ask.own
		call.Answer = found{}
	}
	rows, err := c.Query(ctx, sqlRead, versions, pkgarchs, checksums, own)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r := row(rows.RawValues())
		f := found{revisions: r.isTrue(1), holds: r.isTrue(3)}
		if err := r.revisions(2, &f.greatest); err != nil {
			return err
		}
		if err := r.revisions(4, &f.all.first, &f.all.last, &f.whole.first, &f.whole.last); err != nil {
			return err
		}
		switch {
		case len(f.all.last) > 0: // it was looked for
			f.holds = f.all.last.Compare(f.greatest) >= 0
		case f.holds:
			f.add(f.greatest)
		}
		calls[r.number(0)-1].Answer = f
	}
	return rows.Err()
}
