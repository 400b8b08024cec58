package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"sync"

	"prserver/prserv/client"
)

const (
	// maxWireValue is the greatest value that a Python server can answer.
	maxWireValue = math.MaxInt32
	// manyCalls is how many calls are under way where connections are kept,
	// and so cost little.
	manyCalls = 32
	// fewCalls is how many are elsewhere: a Python server lets five wait, and
	// keeps the next for a second.
	fewCalls = 4
)

// copyToServer imports rows. Those that the server has already are not sent.
func (w *Work) copyToServer(ctx context.Context, b *base, in *table, dst Place) (Copied, error) {
	in, left, err := w.convert(ctx, b, in, whole)
	if err != nil {
		return Copied{}, err
	}
	if err := w.mustBeWire(ctx, b, in); err != nil {
		return Copied{}, err
	}
	old, err := w.read(ctx, b, dst, "old", reading{lenient: true})
	if err != nil {
		return Copied{}, err
	}
	if _, err := b.exec(ctx, "CREATE INDEX main.old_key ON old (version, pkgarch, checksum)"); err != nil {
		return Copied{}, err
	}
	_, err = b.exec(ctx, "CREATE TABLE main.sent AS SELECT i.version, i.pkgarch, i.checksum, i.value, o.value IS NOT NULL AS known FROM "+in.from+" AS i"+
		" LEFT JOIN "+old.from+" AS o ON o.version = i.version AND o.pkgarch = i.pkgarch AND o.checksum = i.checksum"+
		" WHERE o.value IS NULL OR o.value < i.value")
	if err != nil {
		return Copied{}, err
	}
	sent, err := b.number(ctx, "SELECT count(*) FROM main.sent")
	if err != nil {
		return Copied{}, err
	}
	out := Copied{Kept: in.rows - sent, Left: left}
	if sent == 0 {
		return out, nil
	}
	b.letGo() // importing takes long
	if err := w.importAll(ctx, b, dst, sent, &out); err != nil {
		return Copied{}, fmt.Errorf("%w; what it has got stays, and a second run goes on", err)
	}
	return out, nil
}

// mustBeWire returns an error if a table has a value that a server cannot
// answer, or a text that it cannot be asked for.
func (w *Work) mustBeWire(ctx context.Context, b *base, in *table) error {
	err := b.query(ctx, `SELECT version, pkgarch, checksum, value FROM `+in.from+
		` WHERE NOT (is_xml_text(version) AND is_xml_text(pkgarch) AND is_xml_text(checksum)) LIMIT 1`, nil, func(row []driver.Value) error {
		return fmt.Errorf("%s: the row %s: XML cannot carry it to a server", in.place, shown(row))
	})
	if err != nil {
		return err
	}
	return b.query(ctx, `SELECT version, pkgarch, checksum, value FROM `+in.from+
		` WHERE value > ?1 OR value < -?1 - 1 LIMIT 1`, []driver.Value{int64(maxWireValue)}, func(row []driver.Value) error {
		return fmt.Errorf("%s: the row %s: a server cannot answer a value beyond %d", in.place, shown(row), maxWireValue)
	})
}

// importAll imports the rows of the table main.sent, and counts them.
func (w *Work) importAll(ctx context.Context, b *base, dst Place, rows int64, out *Copied) error {
	server := client.New(dst.Name, client.Timeout)
	server.KeepConnections(manyCalls)
	defer server.CloseIdleConnections()
	keeps, err := server.KeepsConnections(ctx)
	if err != nil {
		return ServerError(dst, err)
	}
	workers := fewCalls
	if keeps {
		workers = manyCalls
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		work    = make(chan []driver.Value)
		mu      sync.Mutex // guards out
		waiting sync.WaitGroup
	)
	for range workers {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			for row := range work {
				version, _ := row[0].(string)
				pkgarch, _ := row[1].(string)
				checksum, _ := row[2].(string)
				value, _ := row[3].(int64)
				stored, err := server.ImportOne(ctx, version, pkgarch, checksum, value)
				switch {
				case errors.Is(err, client.ErrNoValue):
					cancel(fmt.Errorf("%s does not store the row %s; its log may say why", dst, shown(row[:columns])))
				case err != nil:
					cancel(fmt.Errorf("the row %s: %w", shown(row[:columns]), ServerError(dst, err)))
				case stored < value:
					cancel(fmt.Errorf("%s answers %d to the row %s, which is less", dst, stored, shown(row[:columns])))
				default:
					mu.Lock()
					switch {
					case stored > value: // by now
						out.Kept++
					case row[columns] == int64(1):
						out.Raised++
					default:
						out.New++
					}
					mu.Unlock()
				}
			}
		}()
	}
	var n int64
	err = b.query(ctx, "SELECT version, pkgarch, checksum, value, known FROM main.sent", nil, func(row []driver.Value) error {
		if n++; n%tellEvery == 0 {
			w.progress(Progress{"importing into " + dst.String(), n, float64(n) / float64(rows)})
		}
		select {
		case work <- append([]driver.Value(nil), row...):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(work)
	waiting.Wait()
	if ctx.Err() != nil { // the first thing that went wrong, not what followed from it
		err = context.Cause(ctx)
	}
	return err
}
