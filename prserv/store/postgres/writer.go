package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
	"prserver/prserv/store/batch"
)

const (
	sqlBegin    = "BEGIN"
	sqlCommit   = "COMMIT"
	sqlRollback = "ROLLBACK"
	// sqlLock locks groups, in the order in which they are given, and reads them:
	// as they are once the lock is had, whatever the snapshot says.
	sqlLock = `SELECT g.version, g.pkgarch, g.id, g.greatest, g.holder
		FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r(version, pkgarch, n)
		JOIN prgroup AS g ON g.version = r.version AND g.pkgarch = r.pkgarch ORDER BY r.n FOR NO KEY UPDATE OF g`
	// sqlMake does so where some of them are yet to be made.
	sqlMake = `INSERT INTO prgroup AS g (version, pkgarch)
		SELECT r.version, r.pkgarch FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r(version, pkgarch, n) ORDER BY r.n
		ON CONFLICT (version, pkgarch) DO UPDATE SET greatest = g.greatest
		RETURNING version, pkgarch, id, greatest, holder`
	// sqlOwn reads the values of checksums. It is a statement of its own: that of
	// a lock does not see what was stored while it waited.
	sqlOwn = `SELECT r.n, w.first, w.last, w.first_whole, w.last_whole
		FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS r(version, pkgarch, checksum, n)
		JOIN prgroup AS g ON g.version = r.version AND g.pkgarch = r.pkgarch
		CROSS JOIN LATERAL (` + selectSpans + ` FROM prvalue WHERE group_id = g.id AND checksum = r.checksum) AS w
		WHERE w.last IS NOT NULL`
	// sqlHas finds which of some values are stored.
	sqlHas = `SELECT r.n FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS r(version, pkgarch, checksum, value, n)
		JOIN prgroup AS g ON g.version = r.version AND g.pkgarch = r.pkgarch
		JOIN prvalue AS w ON w.group_id = g.id AND w.checksum = r.checksum AND w.value = r.value::bigint[]`
	sqlKeepsOld = `SELECT revisions FROM prserv_state`
	sqlRaise    = `UPDATE prgroup AS g SET greatest = r.greatest::bigint[], holder = r.holder
		FROM unnest($1::bigint[], $2::text[], $3::text[]) AS r(id, greatest, holder) WHERE g.id = r.id`
	sqlDelete = `DELETE FROM prvalue AS w USING unnest($1::bigint[], $2::text[], $3::text[]) AS r(id, checksum, value)
		WHERE w.group_id = r.id AND w.checksum = r.checksum AND w.value = r.value::bigint[]`
	// sqlReplace leaves a row where it is in a dump.
	sqlReplace = `UPDATE prvalue AS w SET value = r.value::bigint[]
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS r(id, checksum, value, was)
		WHERE w.group_id = r.id AND w.checksum = r.checksum AND w.value = r.was::bigint[]`
	sqlInsert = `INSERT INTO prvalue (group_id, checksum, value)
		SELECT id, checksum, value::bigint[] FROM unnest($1::bigint[], $2::text[], $3::text[]) AS r(id, checksum, value)
		ON CONFLICT DO NOTHING`
	// sqlKeepOld lets old values stay. Whoever writes has a lock that this one
	// waits for, and asks sqlKeepsOld with it.
	sqlKeepOld = `LOCK TABLE prgroup IN EXCLUSIVE MODE; UPDATE prserv_state SET revisions = true`
)

// change is a call that may change the database: a getPR in a mode, or an import
// of a value, if that is not nil.
type change struct {
	key      store.Key
	mode     store.Mode
	imported store.Revision
	mayRaise bool // the next value of the group may be right: see raise.go
}

type call = batch.Call[change, store.Value]

// writer changes the database, for many calls at once.
type writer struct {
	*batch.Batcher[change, store.Value]
	link     *link
	hints    *hints
	ready    readiness
	observer store.Observer // nil if there is none
}

func startWriter(l *link, h *hints) *writer {
	w := &writer{link: l, hints: h}
	w.Batcher = batch.Start(w.commit, l.look)
	return w
}

func (w *writer) close() {
	if w != nil {
		w.Close()
		w.link.close()
	}
}

// commit carries out calls in one transaction, as [batch.Start] says. Where the
// connection is lost, nobody knows whether the last transaction was committed.
// If it was, its values are found when all is done again. A call gets a new value,
// and a number is skipped, where another server has raised its package since, or
// several checksums of that were raised together.
func (w *writer) commit(calls []*call) (failed bool, err error) {
	wanted := func() bool { return anyWaits(calls) }
	var t *transaction
	err = w.link.do(wanted, func(ctx context.Context, c *pgx.Conn) error {
		t = newTransaction(calls)
		if t.onlyRaises(w.hints) {
			return t.raise(ctx, c, w.hints)
		}
		err := t.run(ctx, c, w.hints)
		if errors.Is(err, errOldMustStay) {
			if _, err = c.Exec(ctx, sqlRollback); err == nil {
				_, err = c.PgConn().Exec(ctx, sqlKeepOld).ReadAll()
			}
			if err == nil {
				t = newTransaction(calls)
				err = t.run(ctx, c, w.hints)
			}
		}
		if errors.Is(err, errGroupIsGone) {
			w.hints.forget()
		}
		if err == nil {
			t.remember(w.hints)
		}
		return err
	})
	w.tellObserver(t, len(calls), err)
	return err != nil && !passes(err), err
}

var (
	// errGroupIsGone is returned where a hint was wrong. All is done again then.
	errGroupIsGone = errors.New("a version and pkgarch are not in the database any more")
	// errOldMustStay is returned where a client of generation 3 asks, and old
	// values were not kept until now.
	errOldMustStay = errors.New("old values are to be kept from now on")
)

// lockedGroup is a group that the transaction has locked.
type lockedGroup struct {
	group
	keys      []*keyState // in the order in which they came
	revisions bool        // a call asks for a revision
	id        int64
	greatest  store.Revision
	holder    *string // nil: somebody
	raised    bool
}

// keyState is a key of the transaction.
type keyState struct {
	key    store.Key
	group  *lockedGroup
	values                // with those that are to be added
	was    store.Revision // the greatest value that is stored
	added  []store.Revision
	known  []store.Revision // of those that are imported, what is stored
	moves  bool             // to the end of a dump
}

// transaction is what a transaction has locked and read, and what it is to store.
type transaction struct {
	calls    []*call        // those that somebody waits for
	groups   []*lockedGroup // in the order in which everybody locks them
	byName   map[group]*lockedGroup
	keys     []*keyState
	byKey    map[store.Key]*keyState
	keepsOld bool

	asker   store.Asker    // of the call that is being answered
	changes []store.Change // what is stored, for the observer
	sync    time.Duration  // how long that took
}

func newTransaction(calls []*call) *transaction {
	t := &transaction{byName: map[group]*lockedGroup{}, byKey: map[store.Key]*keyState{}}
	for _, c := range calls {
		if c.Answer, c.Err = nil, c.Ended(); c.Err != nil {
			continue
		}
		t.calls = append(t.calls, c)
		of := groupOf(c.Ask.key)
		g := t.byName[of]
		if g == nil {
			g = &lockedGroup{group: of}
			t.byName[of] = g
			t.groups = append(t.groups, g)
		}
		g.revisions = g.revisions || c.Ask.mode.Revisions
		if t.byKey[c.Ask.key] == nil {
			k := &keyState{key: c.Ask.key, group: g}
			t.byKey[k.key] = k
			t.keys = append(t.keys, k)
			g.keys = append(g.keys, k)
		}
	}
	slices.SortFunc(t.groups, func(a, b *lockedGroup) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(a.pkgarch, b.pkgarch))
	})
	return t
}

// run reads, decides and writes, in two exchanges with PostgreSQL.
func (t *transaction) run(ctx context.Context, c *pgx.Conn, h *hints) error {
	if len(t.calls) == 0 {
		return nil
	}
	if err := t.read(ctx, c, h); err != nil {
		return err
	}
	for _, call := range t.calls {
		t.asker = call.Asker
		call.Answer, call.Err = t.answer(call.Ask)
		if errors.Is(call.Err, errOldMustStay) {
			return call.Err
		}
	}
	begun := time.Now()
	err := t.write(ctx, c)
	t.sync = time.Since(begun)
	return err
}
