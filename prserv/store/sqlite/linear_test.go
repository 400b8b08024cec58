package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
	"prserver/xmlrpc"
)

// isLong tells that scripts/test --long runs the tests.
func isLong() bool { return os.Getenv("PRSERV_LONG") != "" }

const (
	historyClients = 32
	historyCalls   = 3 // of each client
	// concurrentHistories share the transactions of the file.
	concurrentHistories = 4
)

// service is what a client of a history calls.
type service interface {
	GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error)
	ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error)
	Export(ctx context.Context, f store.Filter, columns bool) (*client.Exported, error)
}

// direct calls a store without a connection, with the types of a client.
type direct struct{ store *sqlite.Store }

func (d direct) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	return asValue(d.store.GetPR(ctx, version, pkgarch, checksum))
}

func (d direct) ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error) {
	return asValue(d.store.ImportOne(ctx, version, pkgarch, checksum, value))
}

func asValue(v any, err error) (int64, error) {
	n, ok := v.(int64)
	if err == nil && !ok {
		err = fmt.Errorf("answered %v", v)
	}
	return n, err
}

func (d direct) Export(ctx context.Context, f store.Filter, columns bool) (*client.Exported, error) {
	v, err := d.store.Export(ctx, f, columns)
	if err != nil {
		return nil, err
	}
	out := &client.Exported{}
	for _, r := range v.([]any)[1].([]any) {
		row := r.(xmlrpc.Struct)
		out.Rows = append(out.Rows, client.Row{Version: row[0].Value.(string), Pkgarch: row[1].Value.(string),
			Checksum: row[2].Value.(string), Value: row[3].Value.(int64)})
	}
	return out, nil
}

// TestLinearizable lets 32 clients at a time call the service, and asks
// whether what they were answered is what one client after the other could
// have been answered. Histories are many and short: the checker's work grows
// exponentially with the length of one, and a file that everybody has just
// begun to write in shows most.
func TestLinearizable(t *testing.T) {
	for _, test := range []struct {
		name           string
		ordinary, long int
		outsider       bool
		open           func(t *testing.T, file string) service
	}{
		{"store", 400, 5000, false, func(t *testing.T, file string) service { return direct{openStore(t, file)} }},
		// Somebody else's writes make the store forget what it remembers.
		{"store beside another writer", 200, 2500, true, func(t *testing.T, file string) service { return direct{openStore(t, file)} }},
		{"server", 40, 500, false, func(t *testing.T, file string) service { return prservtest.Serve(t, file).Client() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := test.ordinary
			if isLong() {
				n = test.long
			}
			file := prservtest.NewFile(t)
			s := test.open(t, file)
			if test.outsider {
				defer writeFromOutside(t, file)()
			}
			runHistories(t, s, file, n)
		})
	}
}

// writeFromOutside writes to the file as another program does, until the
// function that it returns is called.
func writeFromOutside(t *testing.T, file string) (stop func()) {
	t.Helper()
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, "PRAGMA busy_timeout = 20000", "PRAGMA synchronous = OFF")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond) // the others need the file as well
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if _, err := db.Exec("INSERT OR REPLACE INTO "+sqlite.Table+" VALUES ('outside', 'all', 'a', ?)", i); err != nil {
				t.Errorf("the other writer: %v", err)
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// runHistories makes and checks n histories in one file. Each has a version of
// its own, so it starts with nothing stored.
func runHistories(t *testing.T, s service, file string, n int) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("%d histories, seed %d", n, seed)
	db := prservtest.Outside(t, file)
	var next atomic.Int64
	var all sync.WaitGroup
	for range concurrentHistories {
		all.Add(1)
		go func() {
			defer all.Done()
			for h := next.Add(1); h <= int64(n) && !t.Failed(); h = next.Add(1) {
				random := rand.New(rand.NewPCG(seed, uint64(h)))
				version := "h" + strconv.FormatInt(h, 10)
				history, err := runHistory(t.Context(), s, version, random)
				if err == nil {
					history, err = appendStored(history, db, version)
				}
				if err != nil {
					t.Errorf("history %s: %v", version, err)
					return
				}
				checkHistory(t, "history "+version, history)
			}
		}()
	}
	all.Wait()
}

// runHistory lets the clients make their calls and returns these with what
// they were answered.
func runHistory(ctx context.Context, s service, version string, random *rand.Rand) ([]porcupine.Operation, error) {
	history := make([]porcupine.Operation, historyClients*historyCalls)
	for i, in := range chooseCalls(random, len(history)) {
		history[i] = porcupine.Operation{ClientId: i / historyCalls, Input: in}
	}
	errs := make([]error, historyClients)
	begin := make(chan struct{})
	start := time.Now()
	var clients sync.WaitGroup
	for client := range historyClients {
		clients.Add(1)
		go func() {
			defer clients.Done()
			<-begin
			for i := client * historyCalls; i < (client+1)*historyCalls && errs[client] == nil; i++ {
				op := &history[i]
				op.Call = time.Since(start).Nanoseconds()
				op.Output, errs[client] = makeCall(ctx, s, version, op.Input.(input))
				op.Return = time.Since(start).Nanoseconds()
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
func chooseCalls(random *rand.Rand, n int) []input {
	groups, checksums := 1+random.IntN(historyGroups), 2+random.IntN(historyChecksums-1)
	imports, exports := random.IntN(50), random.IntN(30) // in a hundred
	wide := random.IntN(2) == 0                          // exports see all groups
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
func makeCall(ctx context.Context, s service, version string, in input) (output, error) {
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

// appendStored makes what is in the file now the last answer of a history.
func appendStored(history []porcupine.Operation, db *sql.DB, version string) ([]porcupine.Operation, error) {
	out := output{rows: emptyTable()}
	rows, err := db.Query("SELECT pkgarch, checksum, value FROM "+sqlite.Table+" WHERE version = ?", version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row client.Row
		if err := rows.Scan(&row.Pkgarch, &row.Checksum, &row.Value); err != nil {
			return nil, err
		}
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
	return append(history, last), rows.Err()
}
