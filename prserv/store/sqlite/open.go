package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

const (
	// lockTimeout is how long a call waits for somebody who has locked the
	// file from outside. Source: lib/prserv/db.py:PRTable._execute.
	lockTimeout = 20 * time.Second
	// openTimeout is how long opening waits, so that whoever starts a server
	// on a file that a Python server keeps locked hears of it.
	openTimeout = 2 * time.Second
)

// Store keeps PR values in a SQLite file. It is a [store.Store].
type Store struct {
	file     string
	warnings []string

	claim   *dbfile.Claimed // nil if the store is read-only
	writer  *writer         // nil if the store is read-only
	readers *pool           // connections for getPR
	walkers *pool           // connections for export and dump_db
	tops    *topCache
	tables  atomic.Int32 // which there are; of no use if the store is read-only

	closed    atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

var _ store.Store = (*Store)(nil)

// Open opens a database file, and makes it, its folders and its table where
// they do not exist. Read-only, it makes nothing. The error is a
// [*dbfile.LockedError] where another program writes the file.
func Open(ctx context.Context, file string, readOnly bool) (*Store, error) {
	return openOn(ctx, file, readOnly, dbfile.NetworkFS)
}

// openOn is Open, with what is to be believed of file systems.
func openOn(ctx context.Context, file string, readOnly bool, networkFS func(folder string) string) (*Store, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	s := &Store{file: file, tops: newTopCache()}
	if readOnly {
		err = s.openToRead(networkFS)
	} else {
		err = s.openToWrite(ctx, networkFS)
	}
	if err != nil {
		s.claim.Unmake(err)
		s.Close()
		var locked *dbfile.LockedError
		if errors.As(err, &locked) {
			return nil, err
		}
		if errors.Is(err, store.ErrDamaged) {
			was := ""
			if errors.Is(err, query.ErrNoDatabase) {
				was = "name another, or if it was one, "
			}
			err = fmt.Errorf("%w; %ssave what can be read with prserv-tool copy --salvage %s NEW.sqlite3, or restore it from a backup", err, was, file)
		}
		return nil, fmt.Errorf("opening the database %s: %w", file, err)
	}
	return s, nil
}

// Name returns the absolute path of the file.
func (s *Store) Name() string { return s.file }

// Warnings returns what an operator should know of the file, a sentence each.
func (s *Store) Warnings() []string { return s.warnings }

func (s *Store) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

func (s *Store) warnOfNetwork(name string) {
	if name != "" {
		s.warn("The database %s is on a network file system (%s), whose locks may fail; keep it on a local disk", s.file, name)
	}
}

func (s *Store) openToRead(networkFS func(folder string) string) error {
	s.warnOfNetwork(networkFS(filepath.Dir(s.file)))
	if err := dbfile.CheckReadable(s.file); err != nil {
		return err
	}
	return s.openPools("&mode=ro")
}

func (s *Store) openToWrite(ctx context.Context, networkFS func(folder string) string) (err error) {
	if s.claim, err = dbfile.Claim(s.file, dbfile.Options{Make: true, NetworkFS: networkFS}); err != nil {
		return err
	}
	options := writeWAL
	if s.claim.NetworkFS != "" {
		options = writeRollback
	}
	if err := s.prepareTable(ctx, options); err != nil {
		if errors.Is(err, store.ErrBusy) {
			return dbfile.InUse(s.file)
		}
		return err
	}
	s.claim.SyncNames()
	claim := s.claim
	if s.claim.NetworkFS != "" {
		claim = nil
	}
	if s.writer, err = startWriter(s.file, options, claim, s.tops, &s.tables); err != nil {
		return err
	}
	return s.openPools("&mode=rw")
}

const (
	// writeWAL opens a connection that writes. The driver's own default in WAL
	// mode is to sync at checkpoints only. New rows go to pages all over the
	// index, of which 8 MiB are kept.
	writeWAL      = "_txlock=immediate&_synchronous=FULL&_journal_mode=WAL&_cache_size=-8192"
	sqlUsualCache = "PRAGMA cache_size = -8192"
	// writeRollback opens one where processes cannot share memory, which WAL
	// needs. EXTRA syncs the folder as well, once the journal is removed: with
	// a journal that comes back, a commit would be undone.
	writeRollback = "_txlock=immediate&_synchronous=EXTRA&_journal_mode=DELETE"
)

// prepareTable makes the table where there is none, and warns of what an
// operator should know. It fails before anything is changed if the file is not
// to be served.
func (s *Store) prepareTable(ctx context.Context, options string) error {
	if s.claim.Empty {
		link := ""
		if s.claim.Made && s.claim.Link { // as the original makes it, too
			link = "; it is a link to " + s.claim.Path + ", which did not exist"
		}
		s.warn("The database %s is new: every PR value starts at 0%s", s.file, link)
	} else {
		has, err := checkTables(s.file)
		if err != nil {
			return err
		}
		if !has.values && !has.newer {
			s.warn("The database %s has no values: every PR value starts at 0", s.file)
		}
		if has.history {
			s.warn("The database %s has values of BitBake's history mode as well (table %s), which this server does not know",
				s.file, store.HistTable)
		}
	}
	s.warnOfNetwork(s.claim.NetworkFS)
	journal, err := makeTable(ctx, s.file, options)
	if err != nil {
		return err
	}
	has, begunAgain, err := raiseWhole(ctx, s.file, options)
	s.tables.Store(int32(has))
	if begunAgain > 0 {
		s.warn("In the database %s the numbers of %d packages had begun again with BitBake 2.10 or later (table %s); "+
			"from now on they go on above all that were given out", s.file, begunAgain, store.MainTable)
	}
	if err == nil && journal != "wal" {
		s.warn("The database %s is written with a rollback journal: as safely as in WAL mode, "+
			"but new values wait while it is dumped", s.file)
	}
	return err
}

func (s *Store) openPools(mode string) (err error) {
	if s.readers, err = openPool(s.file, mode, sqlStored, sqlKnown, sqlGreatest, sqlNext); err != nil {
		return err
	}
	s.walkers, err = openPool(s.file, mode, sqlSnapshot, sqlRollback)
	return err
}

// nameFile makes a [*store.FileError] of an error of the database.
func (s *Store) nameFile(err *error) {
	var database *store.Error
	if *err != nil && (errors.As(*err, &database) || errors.Is(*err, store.ErrUndecodable)) {
		*err = &store.FileError{File: s.file, Err: *err}
	}
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.closed.Store(true)
	s.closeOnce.Do(func() {
		errs := []error{s.readers.close(), s.walkers.close()}
		// The writer goes last: the connection that closes last cleans up the
		// write-ahead log, and only it is allowed to.
		if s.writer != nil {
			errs = append(errs, s.writer.close())
		}
		s.claim.Release()
		if err := errors.Join(errs...); err != nil {
			s.closeErr = fmt.Errorf("closing the database: %w", err)
		}
	})
	return s.closeErr
}
