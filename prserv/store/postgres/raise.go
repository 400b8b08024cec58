package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"prserver/prserv/store"
)

// Most calls that reach the writer are for the next whole number of a group that
// is there. PostgreSQL finds it by itself, in one exchange; all others take the two
// of [transaction.run].
const (
	// sqlRaiseNext raises groups by as many values as there are checksums of them:
	// those from first to last of $3. Where another transaction has raised a group
	// meanwhile, PostgreSQL looks at the conditions and computes the value again
	// once it has the lock. It leaves out a group of which the first checksum may
	// have the greatest value already, one whose values are not the usual ones, and
	// one for which old values would have to be kept from now on.
	sqlRaiseNext = `WITH raised AS (
			UPDATE prgroup AS g SET holder = ($3::text[])[r.last], greatest = ARRAY[g.greatest[1] + (1 + r.last - r.first)]
			FROM unnest($1::text[], $2::text[], $4::bigint[], $5::bigint[], $6::boolean[]) WITH ORDINALITY AS r(version, pkgarch, first, last, revisions, n)
			WHERE g.version = r.version AND g.pkgarch = r.pkgarch AND g.holder <> ($3::text[])[r.first]
				AND cardinality(g.greatest) = 1 AND g.greatest[1] BETWEEN 0 AND 9223372036854775806 - r.last + r.first
				AND (NOT r.revisions OR (SELECT revisions FROM prserv_state))
			RETURNING r.n, r.first, r.last, g.id, g.greatest[1] AS greatest),
		stored AS (
			INSERT INTO prvalue (group_id, checksum, value)
			SELECT id, ($3::text[])[i], ARRAY[greatest - last + i] FROM raised, generate_series(first, last) AS i)
		SELECT n, greatest FROM raised`
	// sqlDropOlder drops the older values of the checksums that have got one, unless
	// they are kept: $4 is how far the new value is below the greatest. It is a
	// statement of its own, which sees what was stored while the one before waited
	// for a lock. OFFSET makes PostgreSQL use the whole index.
	sqlDropOlder = `DELETE FROM prvalue AS w USING (
			SELECT g.id, r.checksum, ARRAY[g.greatest[1] - r.behind] AS value
			FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS r(version, pkgarch, checksum, behind)
			JOIN prgroup AS g ON g.version = r.version AND g.pkgarch = r.pkgarch OFFSET 0) AS r
		WHERE w.group_id = r.id AND w.checksum = r.checksum AND w.value < r.value AND NOT (SELECT revisions FROM prserv_state)
			AND (SELECT true FROM prvalue AS n WHERE n.group_id = r.id AND n.checksum = r.checksum AND n.value = r.value)`
)

// errNotRaised is the error of a call for which more has to be done than to raise
// its group. Nothing has been done for it.
var errNotRaised = errors.New("the group has not been raised")

// onlyRaises tells whether all calls may be for the next value of a group that is
// there.
func (t *transaction) onlyRaises(h *hints) bool {
	return !slices.ContainsFunc(t.calls, func(c *call) bool { return !c.Ask.mayRaise }) &&
		!slices.ContainsFunc(t.groups, func(g *lockedGroup) bool { return !h.has(g.group) })
}

// raise gives each key the next value of its group, in one exchange with
// PostgreSQL. The error of a call for which that is not right is errNotRaised.
func (t *transaction) raise(ctx context.Context, c *pgx.Conn, h *hints) error {
	if len(t.calls) == 0 {
		return nil
	}
	begun := time.Now()
	results := c.SendBatch(ctx, t.raiseBatch()) // without BEGIN, it is one transaction
	defer results.Close()
	err := eachOf(results, func(r row) error {
		g := t.groups[r.number(0)-1]
		g.raised, g.greatest = true, store.Revision{r.number(1) - int64(len(g.keys))}
		h.set(g.group, g.keys[len(g.keys)-1].key.Checksum)
		return nil
	})
	if err == nil {
		err = results.Close()
	}
	t.sync = time.Since(begun)
	for _, call := range t.calls {
		call.Err = errNotRaised
	}
	if isTaken(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, call := range t.calls {
		if k := t.byKey[call.Ask.key]; k.group.raised {
			t.asker = call.Asker
			call.Answer, call.Err = t.next(k, call.Ask.mode)
		}
	}
	return nil
}

// isTaken tells whether a checksum has a value above the greatest of its group,
// which somebody must have changed by hand. All was undone.
func isTaken(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

// next returns the value that raise has given a key.
func (t *transaction) next(k *keyState, m store.Mode) (store.Value, error) {
	if len(k.added) == 0 {
		v, err := k.group.greatest.NextWhole()
		if err != nil {
			return nil, err
		}
		t.note(k, v)
		k.added, k.group.greatest = []store.Revision{v}, v
	}
	return valueOf(k.added[0], m), nil
}

// raiseBatch returns the statements of raise.
func (t *transaction) raiseBatch() *pgx.Batch {
	n := len(t.groups)
	versions, pkgarchs, revisions := make([]string, n), make([]string, n), make([]bool, n)
	firsts, lasts := make([]int64, n), make([]int64, n)
	var keys [3][]string
	var behind []int64
	for i, g := range t.groups {
		versions[i], pkgarchs[i], revisions[i] = g.version, g.pkgarch, g.revisions
		firsts[i] = int64(len(behind)) + 1
		for j, k := range g.keys {
			keys[0], keys[1], keys[2] = append(keys[0], g.version), append(keys[1], g.pkgarch), append(keys[2], k.key.Checksum)
			behind = append(behind, int64(len(g.keys)-1-j))
		}
		lasts[i] = int64(len(behind))
	}
	b := &pgx.Batch{}
	b.Queue(sqlRaiseNext, versions, pkgarchs, keys[2], firsts, lasts, revisions)
	b.Queue(sqlDropOlder, keys[0], keys[1], keys[2], behind)
	return b
}
