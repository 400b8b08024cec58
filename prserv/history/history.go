// Package history keeps who got which PR value first, and when, in a SQLite file
// of its own beside the database of the values. Losing it loses no value, and
// nobody waits for it.
//
// A server has a [Recorder]; whoever looks at the file uses [Read].
package history

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"prserver/prserv/store"
)

// Event is a value that a key has got.
type Event struct {
	Time       time.Time `json:"time"`       // to the millisecond
	Client     string    `json:"client"`     // its address without the port; empty if it is not known
	Generation int       `json:"generation"` // 1, 2 or 3; 0 if it is not known
	Method     string    `json:"method"`     // as it is called on the wire
	Version    string    `json:"version"`
	Pkgarch    string    `json:"pkgarch"`
	Checksum   string    `json:"checksum"`
	Value      string    `json:"value"`  // such as 3 or 3.1
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
		value TEXT NOT NULL,
		before TEXT NOT NULL)`
	sqlInsert = `INSERT INTO history (time, client, generation, method, version, pkgarch, checksum, value, before)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	// sqlBound forgets the oldest events. The pages are used again.
	sqlBound = `DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?`
	// sqlTables counts tables of our name, and all others.
	sqlTables = `SELECT ifnull(sum(name = 'history'), 0), count(*) FROM sqlite_master WHERE type = 'table'`
)

// open opens a file. Options are those of the driver.
func open(file, options string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: file}).String()+"?_busy_timeout=1000&"+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// openToWrite opens a history, and makes it where there is none.
func openToWrite(file string) (*sql.DB, error) {
	// What is no history is not even put into WAL mode.
	if info, err := os.Stat(file); err == nil && info.Size() > 0 {
		db, err := openToRead(file, true)
		if err != nil {
			return nil, err
		}
		db.Close()
	}
	// A power cut may cost the last second, and never the file.
	db, err := open(file, "_journal_mode=WAL&_synchronous=NORMAL&mode=rwc")
	if err != nil {
		return nil, err
	}
	if _, err := db.Exec(schema); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// openToRead opens a history. The error is ErrNone where it is none.
func openToRead(file string, mayBeEmpty bool) (*sql.DB, error) {
	db, err := open(file, "mode=ro&_query_only=1")
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
	if a.Addr == nil {
		return ""
	}
	if host, _, err := net.SplitHostPort(a.Addr.String()); err == nil {
		return host
	}
	return a.Addr.String()
}

// textOf writes a value.
func textOf(v store.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case store.Revision:
		return v.String()
	}
	return fmt.Sprint(v)
}
