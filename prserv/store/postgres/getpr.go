package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"prserver/prserv/store"
)

// GetPR implements [store.Store].
func (s *Store) GetPR(ctx context.Context, k store.Key, m store.Mode) (v store.Value, err error) {
	defer s.nameDatabase(&err)
	inTime, cancel := context.WithTimeout(ctx, store.PatienceOf(ctx))
	defer cancel()
	defer s.explain(ctx, inTime, &err)
	// If another checksum was last seen to have the greatest value, go to the
	// writer: it finds what there is as well.
	holder := s.hints.get(groupOf(k))
	if s.writer == nil || m.Peek || holder == "" || holder == k.Checksum || m.History {
		v, err := s.known(inTime, k, m)
		if m.Peek || !errors.Is(err, store.ErrNotFound) {
			return v, err
		}
	}
	if err := checkTexts(k.Version, k.Pkgarch, k.Checksum); err != nil {
		return nil, err
	}
	ask := change{key: k, mode: m, mayRaise: !m.History && m.Upstream == nil}
	v, err = s.writer.Do(inTime, ask)
	if errors.Is(err, errNotRaised) {
		ask.mayRaise = false
		v, err = s.writer.Do(inTime, ask)
	}
	return v, err
}

// known returns the value of a key if nothing has to be stored for it. The error
// is store.ErrNotFound if something has to. A read-only store, or a mode that
// stores nothing, returns what the key would get.
func (s *Store) known(ctx context.Context, k store.Key, m store.Mode) (store.Value, error) {
	f, err := s.look(ctx, look{key: k, own: m.History || m.Upstream != nil})
	if err != nil {
		return nil, err
	}
	own := f.of(m)
	v, err := m.Choose(own.first, own.last, f.greatest)
	switch {
	case s.writer == nil || m.Peek:
	case err != nil:
		return nil, store.ErrNotFound // the writer knows better
	case !slices.Equal(v, own.first) && !slices.Equal(v, own.last), m.Revisions && !f.revisions:
		return nil, store.ErrNotFound
	}
	if f.holds && err == nil {
		s.hints.set(groupOf(k), k.Checksum)
	}
	return valueOf(v, m), err
}

// look asks what is stored of a key. A text that PostgreSQL does not store has
// nothing, so it is not asked for that.
func (s *Store) look(ctx context.Context, l look) (found, error) {
	if checkTexts(l.key.Version, l.key.Pkgarch) != nil {
		return found{}, nil
	}
	if checkTexts(l.key.Checksum) == nil {
		return s.reader.Do(ctx, l)
	}
	l.key.Checksum = "" // any one will do
	f, err := s.reader.Do(ctx, l)
	return found{greatest: f.greatest, revisions: f.revisions}, err
}

// Find implements [store.Store].
func (s *Store) Find(ctx context.Context, k store.Key, m store.Mode) (known store.Known, err error) {
	defer s.nameDatabase(&err)
	inTime, cancel := context.WithTimeout(ctx, store.PatienceOf(ctx))
	defer cancel()
	defer s.explain(ctx, inTime, &err)
	f, err := s.look(inTime, look{key: k, own: true})
	own := f.of(m)
	return store.Known{First: valueOf(own.first, m), Last: valueOf(own.last, m), Greatest: valueOf(f.greatest, m)}, err
}

// explain makes an error of a call that is over because PostgreSQL has not
// answered in time: ctx is the caller's context, and inTime that of the call.
func (s *Store) explain(ctx, inTime context.Context, err *error) {
	switch {
	case *err == nil || errors.Is(ctx.Err(), context.Canceled):
	case inTime.Err() != nil && errors.Is(*err, context.DeadlineExceeded):
		*err = s.unavailable(s.trouble())
	case !errors.Is(*err, store.ErrClosed) && !isAnswer(*err) && passes(*err):
		*err = s.unavailable(*err)
	}
}

// isAnswer tells errors that are no trouble with PostgreSQL.
func isAnswer(err error) bool {
	var database *store.Error
	return errors.As(err, &database) || errors.Is(err, store.ErrNotFound)
}

// ImportOne implements [store.Store]. The reason of the error is
// [store.ErrMismatch] for a value that is no revision.
func (s *Store) ImportOne(ctx context.Context, k store.Key, v store.Value) (_ store.Value, err error) {
	defer s.nameDatabase(&err)
	if s.writer == nil {
		return nil, store.ReadOnly()
	}
	if err := checkTexts(k.Version, k.Pkgarch, k.Checksum); err != nil {
		return nil, err
	}
	r, err := revisionOf(v)
	if err != nil {
		return nil, err
	}
	inTime, cancel := context.WithTimeout(ctx, store.PatienceOf(ctx))
	defer cancel()
	defer s.explain(ctx, inTime, &err)
	return s.writer.Do(inTime, change{key: k, imported: r})
}

// revisionOf turns a value into one that is stored. Texts and real numbers that
// are whole numbers become that, as in SQLite.
func revisionOf(v store.Value) (store.Revision, error) {
	switch v := v.(type) {
	case int64:
		return store.Revision{v}, nil
	case store.Revision:
		if len(v) > 0 {
			return v, nil
		}
	case float64:
		if n := int64(v); float64(n) == v && n < 1<<53 && n > -1<<53 {
			return store.Revision{n}, nil
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return store.Revision{n}, nil
		}
	}
	return nil, &store.Error{Reason: store.ErrMismatch, Text: fmt.Sprintf("%.40q is no whole number, and PostgreSQL stores nothing else as a PR value", fmt.Sprint(v))}
}
