// Package linear checks that what many clients of a PR service were answered
// fits one order of their calls. Tests of stores and servers use it.
//
// Start with [Check]. What one client after the other would be answered stands
// in step; the porcupine library looks for the order.
package linear

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"prserver/prserv/client"
	"prserver/prserv/store"
)

const (
	historyClients = 32
	historyCalls   = 3 // of each client
	// concurrentHistories share the transactions of a file.
	concurrentHistories = 4
)

// Service is what a client of a history calls. A [client.Client] is one.
type Service interface {
	GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error)
	ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error)
	Export(ctx context.Context, f store.Filter, columns bool) (*client.Exported, error)
}

// Store calls a store without a connection.
type Store struct{ store.Store }

// GetPR implements [Service].
func (s Store) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	return whole(s.Store.GetPR(ctx, store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}, store.Mode{}))
}

// Newer calls a store as a client of generation 3 does.
type Newer struct{ Store }

// GetPR implements [Service].
func (n Newer) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	v, err := n.Store.Store.GetPR(ctx, store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}, store.Mode{Revisions: true})
	if err != nil {
		return 0, err
	}
	number, ok := v.(store.Revision).Whole()
	if !ok {
		err = fmt.Errorf("answered %v", v)
	}
	return number, err
}

// ImportOne implements [Service].
func (s Store) ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error) {
	return whole(s.Store.ImportOne(ctx, store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}, value))
}

func whole(v store.Value, err error) (int64, error) {
	n, ok := v.(int64)
	if err == nil && !ok {
		err = fmt.Errorf("answered %v", v)
	}
	return n, err
}

// Export implements [Service]. It knows rows of texts and whole numbers only.
func (s Store) Export(ctx context.Context, f store.Filter, _ bool) (*client.Exported, error) {
	out := &client.Exported{}
	err := s.Store.Export(ctx, f, func(r store.Row) error {
		out.Rows = append(out.Rows, client.Row{Version: r.Version.(string), Pkgarch: r.Pkgarch.(string),
			Checksum: r.Checksum.(string), Value: r.Value.(int64)})
		return nil
	})
	return out, err
}

// Histories returns how many histories a test makes: as many as given in the long
// suite, and a fiftieth in the ordinary one, which this package's own tests show
// to be enough to find faults.
func Histories(isLong bool, long int) int {
	if isLong {
		return long
	}
	return long / 50
}

// Stored reads what is stored for a version, as another program does that looks
// into the database.
type Stored func(ctx context.Context, version string) ([]client.Row, error)

// File reads a SQLite file.
func File(db *sql.DB) Stored {
	return func(ctx context.Context, version string) (found []client.Row, err error) {
		rows, err := db.QueryContext(ctx, "SELECT pkgarch, checksum, value FROM "+store.NohistTable+" WHERE version = ?", version)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var row client.Row
			if err := rows.Scan(&row.Pkgarch, &row.Checksum, &row.Value); err != nil {
				return nil, err
			}
			found = append(found, row)
		}
		return found, rows.Err()
	}
}

// Check makes n histories and checks them. In each, 32 clients call the service
// at once; stored is a look at its database from outside. Each history has a version of
// its own, so it starts with nothing stored. They are many and short: the
// checker's work grows exponentially with the length of one, and a file that
// everybody has just begun to write in shows most.
//
// The error is that of a call, or tells what is wrong with the answers.
func Check(ctx context.Context, s Service, stored Stored, n int) error {
	seed := rand.Uint64()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range concurrentHistories {
		all.Add(1)
		go func() {
			defer all.Done()
			for h := next.Add(1); h <= int64(n) && ctx.Err() == nil; h = next.Add(1) {
				if err := checkOne(ctx, s, stored, "h"+strconv.FormatInt(h, 10), rand.New(rand.NewPCG(seed, uint64(h)))); err != nil {
					cancel(fmt.Errorf("history %d of seed %d: %w", h, seed, err))
				}
			}
		}()
	}
	all.Wait()
	return context.Cause(ctx)
}

func checkOne(ctx context.Context, s Service, stored Stored, version string, random *rand.Rand) error {
	r := run{version: version, clients: historyClients, random: random, start: time.Now(), answered: func() {}}
	history, err := r.history(ctx, s)
	if err == nil {
		history, err = appendStored(ctx, history, stored, version)
	}
	if err != nil {
		return err
	}
	return check(history, func(porcupine.Operation) bool { return false })
}

// run is a history in the making.
type run struct {
	version  string
	clients  int
	random   *rand.Rand
	start    time.Time // from which its times count
	answered func()    // is called after each answer
	narrow   bool      // no export sees several groups
}

// history lets the clients make their calls and returns these with what they
// were answered.
func (r *run) history(ctx context.Context, s Service) ([]porcupine.Operation, error) {
	history := make([]porcupine.Operation, r.clients*historyCalls)
	for i, in := range chooseCalls(r.random, len(history), r.narrow) {
		history[i] = porcupine.Operation{ClientId: i / historyCalls, Input: in}
	}
	errs := make([]error, r.clients)
	begin := make(chan struct{})
	var clients sync.WaitGroup
	for client := range r.clients {
		clients.Add(1)
		go func() {
			defer clients.Done()
			<-begin
			for i := client * historyCalls; i < (client+1)*historyCalls && errs[client] == nil; i++ {
				op := &history[i]
				op.Call = time.Since(r.start).Nanoseconds()
				op.Output, errs[client] = makeCall(ctx, s, r.version, op.Input.(input))
				op.Return = time.Since(r.start).Nanoseconds()
				r.answered()
			}
		}()
	}
	close(begin)
	clients.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return history, nil
}

// chooseCalls chooses the calls of a history. What there is to choose from
// differs from history to history, because one that imports all the time
// meets other trouble than one that only asks.
func chooseCalls(random *rand.Rand, n int, narrow bool) []input {
	groups, checksums := 1+random.IntN(historyGroups), 2+random.IntN(historyChecksums-1)
	imports, exports := random.IntN(50), random.IntN(30) // in a hundred
	wide := !narrow && random.IntN(2) == 0               // exports see all groups
	if wide {
		// Then groups cannot be checked one by one, and imports, which can come
		// in many orders, would keep the checker busy for seconds.
		checksums, imports = min(checksums, 3), imports/3
	}
	calls := make([]input, n)
	for i := range calls {
		in := input{method: "getPR", group: random.IntN(groups), checksum: random.IntN(checksums)}
		switch kind := random.IntN(100); {
		case kind < imports:
			in.method, in.value = "importone", random.Int64N(int64(n)/2)
		case kind < imports+exports:
			in.method = "export"
			if wide && random.IntN(2) == 0 {
				in.group = all
			}
			if random.IntN(3) > 0 {
				in.checksum = all
			}
		}
		calls[i] = in
	}
	return calls
}

func pkgarchOf(group int) string      { return "arch" + strconv.Itoa(group) }
func checksumNamed(number int) string { return "checksum" + strconv.Itoa(number) }

// makeCall makes a call and returns its answer as the model has it.
func makeCall(ctx context.Context, s Service, version string, in input) (output, error) {
	out := output{rows: emptyTable()}
	var err error
	switch in.method {
	case "getPR":
		out.value, err = s.GetPR(ctx, version, pkgarchOf(in.group), checksumNamed(in.checksum))
	case "importone":
		out.value, err = s.ImportOne(ctx, version, pkgarchOf(in.group), checksumNamed(in.checksum), in.value)
	case "export":
		filter := store.Filter{Version: &version}
		if in.group != all {
			pkgarch := pkgarchOf(in.group)
			filter.Pkgarch = &pkgarch
		}
		if in.checksum != all {
			checksum := checksumNamed(in.checksum)
			filter.Checksum = &checksum
		}
		var exported *client.Exported
		if exported, err = s.Export(ctx, filter, false); err != nil {
			break
		}
		for _, row := range exported.Rows {
			if err = out.rows.add(row); err != nil {
				break
			}
		}
	}
	if err != nil {
		err = fmt.Errorf("%+v: %w", in, err)
	}
	return out, err
}

// add notes a row that was read.
func (t *table) add(row client.Row) error {
	for g := range t {
		for c := range t[g] {
			if row.Pkgarch == pkgarchOf(g) && row.Checksum == checksumNamed(c) && t[g][c] == absent {
				t[g][c] = row.Value
				return nil
			}
		}
	}
	return fmt.Errorf("there is a row %v that nobody has stored, or twice", row)
}

// appendStored makes what is stored now the last answer of a history.
func appendStored(ctx context.Context, history []porcupine.Operation, stored Stored, version string) ([]porcupine.Operation, error) {
	out := output{rows: emptyTable()}
	rows, err := stored(ctx, version)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := out.rows.add(row); err != nil {
			return nil, err
		}
	}
	var end int64
	for _, op := range history {
		end = max(end, op.Return)
	}
	last := porcupine.Operation{ClientId: historyClients, Input: input{method: "stored", group: all, checksum: all}, Output: out}
	last.Call, last.Return = end+1, end+2
	return append(history, last), nil
}
