// Package history keeps who got which PR value first, and when, in a SQLite file
// of its own beside the database of the values. Losing it loses no value, and
// nobody waits for it.
//
// A server has a [Recorder]; whoever looks at the file uses [Read].
package history

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"net/url"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"prserver/prserv/store"
)

// Event is a value that a key has got, or a call that was refused.
type Event struct {
	ID         int64     `json:"id,omitempty"` // its number in the file, where later events have greater ones; 0 if it is not from a file
	Time       time.Time `json:"time"`         // to the millisecond, UTC
	Client     string    `json:"client"`       // its address without the port; empty if it is not known
	Generation int       `json:"generation"`   // 1, 2 or 3; 0 if it is not known
	Method     string    `json:"method"`       // as it is called on the wire
	Version    string    `json:"version"`
	Pkgarch    string    `json:"pkgarch"`
	Checksum   string    `json:"checksum"`
	Value      string    `json:"value"`  // such as 3 or 3.1, or see [Event.Refused]
	Before     string    `json:"before"` // the greatest value of the version and pkgarch until then; empty if there was none, or it is not known
}

// ErrNone is returned for a file that is no history, and is left alone.
var ErrNone = errors.New("it is no history of PR values")

const (
	schema = `CREATE TABLE IF NOT EXISTS history (
		id INTEGER PRIMARY KEY, -- in the order of events
		time INTEGER NOT NULL,  -- milliseconds since 1970
		client TEXT NOT NULL,
		generation INTEGER NOT NULL,
		method TEXT NOT NULL,
		version TEXT NOT NULL,
		pkgarch TEXT NOT NULL,
		checksum TEXT NOT NULL,
		value NOT NULL,         -- a whole number, or a text such as 3.1
		before)                 -- likewise, or NULL`
	// sqlTables counts tables of our name, and all others.
	sqlTables = `SELECT ifnull(sum(name = 'history'), 0), count(*) FROM sqlite_master WHERE type = 'table'`
)

// Beside returns the name of the history of a database, where no other is given.
// It ends like no database, and whoever copies or removes a database by its
// name, with what SQLite has beside it (-wal, -shm, -journal), does not mean it.
func Beside(database string) string { return database + ".history" }

// dsn names a file for the driver.
func dsn(file, options string) string {
	return (&url.URL{Scheme: "file", Path: file}).String() + "?_busy_timeout=250&" + options
}

// open opens a file. Options are those of the driver.
func open(file, options string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn(file, options))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// openToRead opens a history. The error is ErrNone where it is none.
func openToRead(file string, mayBeEmpty bool) (*sql.DB, error) {
	return openChecked(file, "mode=ro&_query_only=1", mayBeEmpty)
}

// openToRepair opens a history, or what was to become one, of which a server was
// killed in the middle of a change. The change is undone with that.
func openToRepair(file string) (*sql.DB, error) { return openChecked(file, "mode=rw", true) }

func openChecked(file, options string, mayBeEmpty bool) (*sql.DB, error) {
	db, err := open(file, options)
	if err != nil {
		return nil, err
	}
	if err := checkTables(db, mayBeEmpty); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// checkTables returns ErrNone where a file has something else.
func checkTables(db *sql.DB, mayBeEmpty bool) error {
	var ours, all int
	if err := db.QueryRow(sqlTables).Scan(&ours, &all); err != nil {
		return err
	}
	if ours != all || ours == 0 && !mayBeEmpty {
		return ErrNone
	}
	return nil
}

// clientOf returns the address of an asker without its port.
func clientOf(a store.Asker) string {
	switch addr := a.Addr.(type) {
	case nil:
		return ""
	case *net.TCPAddr:
		return addr.IP.String()
	default:
		return addr.String()
	}
}

// columnOf returns what is written of a value.
func columnOf(v store.Value) driver.Value {
	if revision, ok := v.(store.Revision); ok {
		return revision.String()
	}
	return v
}
