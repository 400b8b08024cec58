package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"prserver/prserv/store"
)

const (
	// openPatience is how long opening waits for a PostgreSQL that is about to
	// start, or to take over.
	openPatience = 20 * time.Second
	// closePatience is how long closing waits for the answers of PostgreSQL.
	closePatience = time.Second
	// maxWalkers is how many exports and dumps are made at a time.
	maxWalkers = 4
)

// Store keeps PR values in a PostgreSQL database. It is a [store.Store].
type Store struct {
	name     string // of the database, as people may see it
	warnings []string

	cluster *cluster
	retries atomic.Int64 // counts what was tried again
	hints   *hints
	reader  *reader
	writer  *writer       // nil if the store is read-only
	walkers *pgxpool.Pool // connections for export and dump_db

	dumpLimits dumpLimits

	closed    atomic.Bool
	closeOnce sync.Once
}

var _ store.Store = (*Store)(nil)

// Open opens the database of a URL, such as postgres://user@host/database, and
// makes its tables where they do not exist. Read-only, it makes nothing, and also
// takes a standby. The URL is read as every PostgreSQL program reads it, and so
// are the variables PGPASSWORD and so on.
func Open(ctx context.Context, url string, readOnly bool) (*Store, error) {
	return openWith(ctx, url, readOnly, hang)
}

func openWith(ctx context.Context, url string, readOnly bool, hang time.Duration) (*Store, error) {
	c, name, err := parseURL(url, readOnly)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	s := &Store{name: name, cluster: c, hints: &hints{holders: map[group]string{}}, dumpLimits: usualLimits}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", name, explain(c.config, err))
	}
	s.reader = startReader(newLink(c, &s.retries, hang))
	if !readOnly {
		s.writer = startWriter(newLink(c, &s.retries, hang), s.hints)
	}
	config, err := pgxpool.ParseConfig("")
	if err == nil {
		config.ConnConfig = c.config
		config.MaxConns = maxWalkers
		s.walkers, err = pgxpool.NewWithConfig(context.Background(), config)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the database %s: %w", name, err)
	}
	return s, nil
}

// Name returns the URL without its password.
func (s *Store) Name() string { return s.name }

// Warnings returns what an operator should know of the database, a sentence each.
func (s *Store) Warnings() []string { return s.warnings }

func (s *Store) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

// prepare makes the tables and looks at what is in them. It waits for a
// PostgreSQL that does not answer yet.
func (s *Store) prepare(ctx context.Context) error {
	for deadline := time.Now().Add(openPatience); ; {
		err := s.prepareOnce(ctx)
		var known *store.Error
		if err == nil || !isLate(err) || errors.As(err, &known) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lastPause):
		}
	}
}

// isLate tells whether PostgreSQL only needs time.
func isLate(err error) bool {
	for _, never := range []error{errPooler, errEncoding, errUnsafe, ErrNoTables} {
		if errors.Is(err, never) {
			return false
		}
	}
	var refused *pgconn.PgError
	return !errors.As(err, &refused) || passes(err) && refused.Code != "08P01"
}

// prepareOnce gives up a PostgreSQL that does not answer: nothing that it does
// takes long.
func (s *Store) prepareOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.cluster.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	if s.cluster.readOnly {
		if err := checkSchema(ctx, conn); err != nil {
			return err
		}
		return checkRights(ctx, conn, true)
	}
	if err := upgrade(ctx, conn); err != nil {
		return err
	}
	if err := checkRights(ctx, conn, false); err != nil {
		return err
	}
	return s.warnOf(ctx, conn)
}

const (
	sqlIsEmpty = `SELECT NOT EXISTS (SELECT 1 FROM prgroup)`
	// sqlIsAlone tells whether there are standbys for which no commit waits. A user
	// without rights sees that there are some, and no more.
	sqlHasLateStandby = `SELECT current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT 1 FROM pg_stat_replication)`
)

// warnOf notes what an operator should know.
func (s *Store) warnOf(ctx context.Context, conn *pgx.Conn) error {
	s.warnings = nil
	var empty, late bool
	if err := conn.QueryRow(ctx, sqlIsEmpty).Scan(&empty); err != nil {
		return err
	}
	if empty {
		s.warn("The database %s has no values: every PR value starts at 0", s.name)
	}
	if err := conn.QueryRow(ctx, sqlHasLateStandby).Scan(&late); err != nil {
		return err
	}
	if late {
		s.warn("The database %s has a standby that may lag behind (synchronous_standby_names is empty): "+
			"values that it lacks when it takes over are given out twice", s.name)
	}
	return nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.closed.Store(true)
		// A server that is told to end does so, whatever PostgreSQL does.
		patience := time.AfterFunc(closePatience, func() {
			s.reader.link.end()
			if s.writer != nil {
				s.writer.link.end()
			}
		})
		defer patience.Stop()
		s.reader.close()
		s.writer.close()
		if s.walkers != nil {
			s.walkers.Close()
		}
	})
	return nil
}
