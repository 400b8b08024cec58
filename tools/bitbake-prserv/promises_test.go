package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	_ "github.com/mattn/go-sqlite3"

	"prserver/prserv/client"
	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/tools/internal/scripttest"
)

const (
	// issuedArch is the pkgarch of checksums that getPR is asked for, importedArch
	// that of checksums that are imported, with values of our choice.
	issuedArch, importedArch = "issued", "imported"
	// firstImported is greater than any value that getPR gives in a test, so that a
	// value tells whether it was imported.
	firstImported = 1_000_000_000
)

// service is a PR server as a client sees it.
type service interface {
	GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error)
	ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error)
}

// everyBitBake asks now as BitBake of one generation does, now as another.
type everyBitBake struct{ *client.Client }

// GetPR implements service.
func (e everyBitBake) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	var history *bool
	switch rand.IntN(3) {
	case 0:
		return e.Client.GetPR(ctx, version, pkgarch, checksum)
	case 1:
		history = new(bool)
	}
	lines := client.NewJSONLines(e.Addr(), scripttest.Patience)
	defer lines.Close()
	v, err := lines.GetPR(ctx, version, pkgarch, checksum, history)
	if err != nil {
		return 0, err
	}
	n, ok := v.Whole()
	if !ok {
		err = fmt.Errorf("%w: the answer %v is no whole number", errBroken, v)
	}
	return n, err
}

// promises holds what clients were answered. From then on the file has to hold
// that value of the checksum, or a greater one.
type promises struct {
	version string

	mu       sync.Mutex
	values   map[rowKey]int64 // guarded by mu
	holders  map[int64]rowKey // whose each answered value is; guarded by mu
	greatest int64            // of those that getPR answered; guarded by mu
	answered int              // guarded by mu
	imported int64            // guarded by mu
}

// rowKey identifies a row of the version that a test asks for.
type rowKey struct{ pkgarch, checksum string }

func newPromises(version string) *promises {
	return &promises{version: version, values: map[rowKey]int64{}, holders: map[int64]rowKey{}, greatest: -1, imported: firstImported}
}

func (p *promises) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answered
}

// note records an answer.
func (p *promises) note(key rowKey, value int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[key] = max(value, p.values[key])
	p.holders[value] = key
	p.answered++
	if key.pkgarch == issuedArch {
		p.greatest = max(p.greatest, value)
	}
}

// errBroken is an answer that contradicts an earlier one.
var errBroken = errors.New("a promise was broken")

// getNew asks for a checksum that is new. Its value has to be greater than all that
// were known when the call started.
func (p *promises) getNew(ctx context.Context, c service, checksum string) error {
	p.mu.Lock()
	floor := p.greatest
	p.mu.Unlock()
	v, err := c.GetPR(ctx, p.version, issuedArch, checksum)
	if err != nil {
		return err
	}
	p.note(rowKey{issuedArch, checksum}, v)
	if v <= floor {
		return fmt.Errorf("%w: the new checksum %s got %d, but %d had been given out before", errBroken, checksum, v, floor)
	}
	return nil
}

// getAgain asks for a checksum that may have a value, which must not get less.
func (p *promises) getAgain(ctx context.Context, c service, checksum string) error {
	p.mu.Lock()
	known, isKnown := p.values[rowKey{issuedArch, checksum}]
	p.mu.Unlock()
	v, err := c.GetPR(ctx, p.version, issuedArch, checksum)
	if err != nil {
		return err
	}
	p.note(rowKey{issuedArch, checksum}, v)
	if isKnown && v < known {
		return fmt.Errorf("%w: the checksum %s had %d, now it got %d", errBroken, checksum, known, v)
	}
	return nil
}

// importOne imports a value that no other import has.
func (p *promises) importOne(ctx context.Context, c service, checksum string) error {
	p.mu.Lock()
	p.imported++
	value := p.imported
	p.mu.Unlock()
	v, err := c.ImportOne(ctx, p.version, importedArch, checksum, value)
	if err != nil {
		return err
	}
	p.note(rowKey{importedArch, checksum}, v)
	if v < value {
		return fmt.Errorf("%w: imported %d for %s, stored is %d", errBroken, value, checksum, v)
	}
	return nil
}

// call makes the i-th call of a client: in seven of ten cases for a new checksum,
// in two for one that may be known, in one an import.
func (p *promises) call(ctx context.Context, c service, client, i int, random *rand.Rand) error {
	own := fmt.Sprintf("%d-%d", client, random.IntN(i+1))
	switch random.IntN(10) {
	case 0, 1:
		return p.getAgain(ctx, c, own)
	case 2:
		return p.importOne(ctx, c, own)
	}
	return p.getNew(ctx, c, fmt.Sprintf("%d-new-%d", client, i))
}

// snapshot returns what has been promised up to now.
func (p *promises) snapshot() map[rowKey]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.values)
}

// checkStored opens a database file that no server has open, with nothing but
// SQLite. It returns an error if the file is damaged, if a promised value is
// missing, or if two checksums that getPR was asked for share a value.
func checkStored(file, version string, promised map[rowKey]int64) error {
	// A server has to start by itself, whatever is on the disk.
	if err := dbfile.CheckLog(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Closing moves the log to the file. That need not be synced.
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=0&_synchronous=OFF")
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return fmt.Errorf("integrity_check: %s, %v", verdict, err)
	}
	rows, err := db.Query("SELECT pkgarch, checksum, value FROM "+store.NohistTable+" WHERE version = ?", version)
	if err != nil {
		if len(promised) == 0 {
			return nil // not even the table need be there
		}
		return err
	}
	defer rows.Close()
	stored := map[rowKey]int64{}
	holder := map[int64]string{}
	for rows.Next() {
		var key rowKey
		var v int64
		if err := rows.Scan(&key.pkgarch, &key.checksum, &v); err != nil {
			return err
		}
		if other, ok := holder[v]; ok && key.pkgarch == issuedArch {
			return fmt.Errorf("%s and %s both have %d", key.checksum, other, v)
		}
		holder[v], stored[key] = key.checksum, v
	}
	for key, v := range promised {
		if now, ok := stored[key]; !ok || now < v {
			return fmt.Errorf("%s was answered %d, stored is %d (%v)", key, v, now, ok)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return checkBoth(db, version)
}

// checkBoth returns an error if a file has both tables and one of them has another
// greatest value of a checksum.
func checkBoth(db *sql.DB, version string) error {
	var both bool
	err := db.QueryRow("SELECT count(*) > 0 FROM sqlite_master WHERE name = '" + store.MainTable + "'").Scan(&both)
	if err != nil || !both {
		return err
	}
	var differ int
	err = db.QueryRow("SELECT count(*) FROM "+store.NohistTable+" AS n WHERE version = ? AND value IS NOT (SELECT max(CAST(value AS INTEGER)) FROM "+
		store.MainTable+" AS m WHERE m.version = n.version AND m.pkgarch = n.pkgarch AND m.checksum = n.checksum)", version).Scan(&differ)
	if err == nil && differ > 0 {
		err = fmt.Errorf("%d rows of %s differ from %s", differ, store.NohistTable, store.MainTable)
	}
	return err
}

// copyDatabase copies a database file and its log to a folder. It leaves out the
// index of the log, so that SQLite has to recover the log.
func copyDatabase(file, dir string) (string, error) {
	to := filepath.Join(dir, filepath.Base(file))
	for _, suffix := range []string{"", "-wal", "-journal"} {
		content, err := os.ReadFile(file + suffix)
		if os.IsNotExist(err) && suffix != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, content, 0o666)
		}
		if err != nil {
			return "", err
		}
	}
	return to, nil
}
