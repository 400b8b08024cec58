package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// read begins the transaction, locks the groups and reads what is stored.
func (t *transaction) read(ctx context.Context, c *pgx.Conn, h *hints) error {
	versions, pkgarchs := make([]string, len(t.groups)), make([]string, len(t.groups))
	lock := sqlLock
	for i, g := range t.groups {
		versions[i], pkgarchs[i] = g.version, g.pkgarch
		if !h.has(g.group) {
			lock = sqlMake
		}
	}
	keys := [3][]string{}
	for _, k := range t.keys {
		keys[0], keys[1], keys[2] = append(keys[0], k.key.Version), append(keys[1], k.key.Pkgarch), append(keys[2], k.key.Checksum)
	}
	imports := t.imports()
	b := &pgx.Batch{}
	b.Queue(sqlBegin)
	b.Queue(lock, versions, pkgarchs)
	b.Queue(sqlOwn, keys[0], keys[1], keys[2])
	if len(imports) > 0 {
		queueImports(b, imports)
	}
	b.Queue(sqlKeepsOld)
	results := c.SendBatch(ctx, b)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return err
	}
	locked := 0
	err := eachOf(results, func(r row) error {
		g := t.byName[group{r.text(0), r.text(1)}]
		g.id = r.number(2)
		if r[4] != nil {
			holder := r.text(4)
			g.holder = &holder
		}
		locked++
		return r.revisions(3, &g.greatest)
	})
	if err != nil {
		return err
	}
	err = eachOf(results, func(r row) error {
		k := t.keys[r.number(0)-1]
		err := r.revisions(1, &k.all.first, &k.all.last, &k.whole.first, &k.whole.last)
		k.was = k.all.last
		return err
	})
	if err != nil {
		return err
	}
	if len(imports) > 0 {
		err = eachOf(results, func(r row) error {
			c := imports[r.number(0)-1]
			k := t.byKey[c.key]
			k.known = append(k.known, c.imported)
			return nil
		})
		if err != nil {
			return err
		}
	}
	err = eachOf(results, func(r row) error {
		t.keepsOld = r.isTrue(0)
		return nil
	})
	if err == nil {
		err = results.Close()
	}
	if err == nil && locked < len(t.groups) {
		err = errGroupIsGone
	}
	return err
}

// imports returns what is to be imported.
func (t *transaction) imports() (all []change) {
	for _, c := range t.calls {
		if c.Ask.imported != nil {
			all = append(all, c.Ask)
		}
	}
	return all
}

func queueImports(b *pgx.Batch, imports []change) {
	var texts [3][]string
	var values []string
	for _, c := range imports {
		texts[0], texts[1], texts[2] = append(texts[0], c.key.Version), append(texts[1], c.key.Pkgarch), append(texts[2], c.key.Checksum)
		values = append(values, literal(c.imported))
	}
	b.Queue(sqlHas, texts[0], texts[1], texts[2], values)
}

// eachOf calls each with the rows of the next query of a batch.
func eachOf(results pgx.BatchResults, each func(row) error) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

// answer decides what a call is answered, and notes what it stores.
func (t *transaction) answer(ask change) (store.Value, error) {
	k := t.byKey[ask.key]
	if ask.imported != nil {
		return t.importOne(k, ask.imported)
	}
	if ask.mode.Revisions && !t.keepsOld {
		return nil, errOldMustStay
	}
	own := k.of(ask.mode)
	v, err := ask.mode.Choose(own.first, own.last, k.group.greatest)
	if err != nil || slices.Equal(v, own.first) || slices.Equal(v, own.last) {
		return valueOf(v, ask.mode), err
	}
	k.moves = true
	return valueOf(v, ask.mode), t.store(k, v)
}

// importOne stores a value, unless there is a greater one and old values are not
// kept. It returns the greatest value then: of the whole numbers if it is one.
func (t *transaction) importOne(k *keyState, v store.Revision) (store.Value, error) {
	_, whole := v.Whole()
	if !whole && !t.keepsOld {
		return nil, errOldMustStay
	}
	isKnown := slices.ContainsFunc(slices.Concat(k.known, k.added), func(r store.Revision) bool { return slices.Equal(r, v) })
	if !isKnown && (t.keepsOld || v.Compare(k.all.last) > 0) {
		if err := t.store(k, v); err != nil {
			return nil, err
		}
	}
	m := store.Mode{Revisions: !whole}
	return valueOf(k.of(m).last, m), nil
}

// store notes that a key is to have a value. The error is [store.ErrNoNext] where
// no whole number would be left above it.
func (t *transaction) store(k *keyState, v store.Revision) error {
	if len(v) > 1 {
		if _, err := v.NextWhole(); err != nil {
			return err
		}
	}
	t.note(k, v)
	if t.keepsOld {
		k.added = append(k.added, v)
		k.add(v)
	} else {
		k.added = []store.Revision{v}
		k.values = values{}
		k.add(v)
	}
	g := k.group
	switch c := v.Compare(g.greatest); {
	case c > 0:
		g.greatest, g.holder, g.raised = v, &k.key.Checksum, true
	case c == 0 && g.holder != nil && *g.holder != k.key.Checksum:
		g.holder, g.raised = nil, true
	}
	return nil
}

// write stores what was noted, and ends the transaction.
func (t *transaction) write(ctx context.Context, c *pgx.Conn) error {
	var raised, added, deleted, replaced columns
	var were []string
	for _, g := range t.groups {
		if g.raised {
			raised.ids, raised.values = append(raised.ids, g.id), append(raised.values, literal(g.greatest))
			raised.texts = append(raised.texts, g.holder)
		}
	}
	for _, k := range t.keys {
		if len(k.added) > 0 && !t.keepsOld && len(k.was) > 0 {
			if !k.moves {
				replaced.add(k, k.added[0])
				were = append(were, literal(k.was))
				continue
			}
			deleted.add(k, k.was)
		}
		for _, v := range k.added {
			added.add(k, v)
		}
	}
	b := &pgx.Batch{}
	if len(raised.ids) > 0 {
		b.Queue(sqlRaise, raised.ids, raised.values, raised.texts)
	}
	if len(deleted.ids) > 0 {
		b.Queue(sqlDelete, deleted.ids, deleted.texts, deleted.values)
	}
	if len(replaced.ids) > 0 {
		b.Queue(sqlReplace, replaced.ids, replaced.texts, replaced.values, were)
	}
	if len(added.ids) > 0 {
		b.Queue(sqlInsert, added.ids, added.texts, added.values)
	}
	b.Queue(sqlCommit)
	return c.SendBatch(ctx, b).Close()
}

// columns are parameters of a statement: a list for each.
type columns struct {
	ids    []int64
	texts  []*string
	values []string
}

// add adds a row of prvalue.
func (c *columns) add(k *keyState, v store.Revision) {
	c.ids = append(c.ids, k.group.id)
	c.texts = append(c.texts, &k.key.Checksum)
	c.values = append(c.values, literal(v))
}

// remember keeps hints of what is stored now.
func (t *transaction) remember(h *hints) {
	for _, g := range t.groups {
		holder := ""
		if g.holder != nil {
			holder = *g.holder
		}
		h.set(g.group, holder)
	}
}
