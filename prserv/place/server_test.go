package place

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

// serve starts a server of rows.
func serve(t testing.TB, rows ...Row) Place {
	t.Helper()
	return Place{Server, prservtest.Serve(t, newDB(t, generation1, rows...).Name).Addr}
}

func TestCopyToServerRandom(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 3))
		in, old := randomRows(random, generation1, 14), randomRows(random, generation1, 14)
		dst := serve(t, old...)
		want, counts := merged(generation1, old, in)
		for range 2 {
			got, err := (&Work{}).Copy(t.Context(), makePlace(t, []Kind{Database, SQL, Inc}[seed%3], generation1, in), dst, CopyOptions{})
			if err != nil || got != counts {
				t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, counts)
			}
			wantRows(t, fmt.Sprint("seed ", seed), listed(t, dst, ListOptions{}), sortedRows(want))
			counts = Copied{Kept: int64(len(in))} // the second time
		}
	}
}

func TestCopyToServerRefused(t *testing.T) {
	dst := serve(t)
	for _, test := range []struct {
		row  Row
		want string
	}{
		{Row{"v", "p", "c", "2147483648"}, "the row v p c 2147483648: a server cannot answer a value beyond 2147483647"},
		{Row{"v", "p", "c", "-2147483649"}, "a server cannot answer"},
	} {
		_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, test.row), dst, CopyOptions{})
		prservtest.WantOneLine(t, test.row.Checksum, err, test.want)
	}
	_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1), Place{Server, "127.0.0.1:1"}, CopyOptions{})
	prservtest.WantOneLine(t, "nobody listens", err, "127.0.0.1:1")
}

// TestCopyToServerLeavesOut leaves out what XML cannot carry, and says so in a line.
func TestCopyToServerLeavesOut(t *testing.T) {
	dst := serve(t)
	src := newDB(t, generation1, Row{"v", "p", "a\rb", "3"}, Row{"v", "p", "c", "2"}, Row{"v\x01", "p", "c", "1"}, Row{"w", "p", "c", "4"})
	for _, want := range []Copied{{New: 2, Left: 2}, {Kept: 2, Left: 2}} {
		var warned []string
		got, err := (&Work{Warn: func(line string) { warned = append(warned, line) }}).Copy(t.Context(), src, dst, CopyOptions{})
		if err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		line := src.Name + `: rows left out, because XML cannot carry them to a server: 2; the first is v p "a\rb" 3`
		if len(warned) != 1 || warned[0] != line {
			t.Errorf("warned %q, want %q", warned, line)
		}
	}
	wantRows(t, "what was copied", listed(t, dst, ListOptions{}), []Row{{"v", "p", "c", "2"}, {"w", "p", "c", "4"}})
}

// pythonServer starts a server that behaves as one of BitBake 2.8 or 2.10.
func pythonServer(t *testing.T, of *generation, rows ...Row) Place {
	t.Helper()
	return Place{Server, prservtest.ServeAsPython(t, newDB(t, of, rows...).Name, of.revisions)}
}

// TestPythonServers copies to and from servers that speak JSON lines only, and
// raises their twins.
func TestPythonServers(t *testing.T) {
	in := []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "3"}, {"v", "p", "c", "2147483650"}, {"w", "p", "e\x01", "2"}, {"w", "p", "e\x01", "2.1"}}
	old := Row{"v", "p", "a", "1"}
	for _, test := range []struct {
		of     *generation
		copied Copied
		want   []Row // as the server tells them
		warned string
		again  int64 // rows that are new: it does not tell what it has of others
	}{
		{generation1, Copied{New: 3, Raised: 1, Left: 1}, []Row{{"v", "p", "c", "2147483650"}, {"w", "p", "e\x01", "3"}},
			"tells only the greatest value of each version and pkgarch, as all servers of BitBake 1.52 to 2.8 do", 2},
		{generation3, Copied{New: 4, Raised: 1}, append([]Row{old}, in...), "", 0},
	} {
		dst := pythonServer(t, test.of, old)
		src := newDB(t, generation3, in...)
		c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
		if err != nil || c != test.copied {
			t.Errorf("generation %d: %+v, %v; want %+v", test.of.number, c, err, test.copied)
		}
		if c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil || c.New != test.again || c.Raised != 0 {
			t.Errorf("generation %d, again: %+v, %v", test.of.number, c, err)
		}
		var warned string
		w := &Work{Warn: func(line string) { warned += line }}
		var got []Row
		if err := w.List(t.Context(), dst, ListOptions{}, func(r Row) error { got = append(got, r); return nil }); err != nil {
			t.Error(err)
		}
		wantRows(t, "listed", got, test.want)
		if (warned != "") != (test.warned != "") || !strings.Contains(warned, test.warned) {
			t.Errorf("generation %d: warned %q", test.of.number, warned)
		}
		wantProblems(t, "checked", problemsOf(t, dst), nil)
		twins := newDB(t, generation1, Row{"t", "p", "a", "2147483650"}, Row{"t", "p", "b", "2147483650"}, Row{"t", "p", "c", "2147483650"})
		if _, err := (&Work{}).Copy(t.Context(), twins, dst, CopyOptions{}); err != nil {
			t.Error(err)
		}
		wantProblems(t, "twins", problemsOf(t, dst), []string{"3 checksums of t p share its greatest value 2147483650"})
		if r, err := w.RaiseTwins(t.Context(), dst); err != nil || r != (Raised{Versions: 1, Rows: 2}) {
			t.Errorf("generation %d: %+v, %v", test.of.number, r, err)
		}
		wantProblems(t, "raised", problemsOf(t, dst), nil)
	}
}

// TestCopyPartsToOurs copies values such as 3.1 to our server, which makes the
// table for them, and whole numbers as before.
func TestCopyPartsToOurs(t *testing.T) {
	in := []Row{{"v", "p", "a", "3"}, {"v", "p", "a", "4"}, {"v", "p", "b", "4.1"}, {"w", "p", "a", "2"}}
	dst := serve(t, Row{"v", "p", "a", "3"})
	for _, want := range []Copied{{New: 2, Raised: 1, Kept: 1}, {Kept: 4}} {
		if c, err := (&Work{}).Copy(t.Context(), newDB(t, generation3, in...), dst, CopyOptions{}); err != nil || c != want {
			t.Errorf("%+v, %v; want %+v", c, err, want)
		}
		wantRows(t, "ours", listed(t, dst, ListOptions{}), in)
	}
	_, err := (&Work{}).Copy(t.Context(), newDB(t, generation3, Row{"v", "p", "c", "2147483647.1"}), dst, CopyOptions{})
	prservtest.WantOneLine(t, "no number above", err, "the row v p c 2147483647.1: a server cannot answer a value beyond 2147483647")
	twins := newDB(t, generation3, Row{"v", "p", "c", "4.1"})
	if _, err := (&Work{}).Copy(t.Context(), twins, dst, CopyOptions{}); err != nil {
		t.Error(err)
	}
	wantProblems(t, "twins", problemsOf(t, dst), []string{"2 checksums of v p share its greatest value 4.1"})
	if r, err := (&Work{}).RaiseTwins(t.Context(), dst); err != nil || r != (Raised{Versions: 1, Rows: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	wantProblems(t, "raised", problemsOf(t, dst), nil)
	wantRows(t, "raised", listed(t, dst, ListOptions{Greatest: true})[:1], []Row{{"v", "p", "c", "5"}})
}

// TestCheckServerInTrouble asks a server whose file has been removed: it still
// tells its values, but gives out no new one.
func TestCheckServerInTrouble(t *testing.T) {
	file := newDB(t, generation1, Row{"v", "p", "a", "3"})
	p := Place{Server, prservtest.Serve(t, file.Name).Addr}
	wantProblems(t, "at first", problemsOf(t, p), nil)
	if err := os.Remove(file.Name); err != nil {
		t.Fatal(err)
	}
	wantProblems(t, "without its file", problemsOf(t, p), []string{"removed or replaced while it is served, so no new value is given out|put it back under its name, or save what it has with prserv-tool copy " + p.Name + " rescue.sql"})
	// A server of Python's answers a ping all the same. This process stands for it.
	var found []Problem
	c := &checker{Work: &Work{Process: func(string) int { return os.Getpid() }}, place: p,
		each: func(p Problem) error { found = append(found, p); return nil }}
	if _, err := (serverKind{}).check(t.Context(), c, &table{}); err != nil {
		t.Fatal(err)
	}
	wantProblems(t, "of Python", found, []string{file.Name + "|save what it has while it runs: prserv-tool copy " + p.Name + " rescue.sql"})
	rescued := Place{SQL, filepath.Join(t.TempDir(), "rescue.sql")}
	copyPlace(t, "rescue", p, rescued, CopyOptions{})
	wantRows(t, "rescue", listed(t, rescued, ListOptions{}), []Row{{"v", "p", "a", "3"}})
}

func TestServerError(t *testing.T) {
	for want, err := range map[string]error{
		"h:1 refuses: fault 1: no":                  fmt.Errorf("ping: %w", &client.FaultError{Code: 1, Message: "no"}),
		"h:1 refuses: fault 2: no":                  fmt.Errorf("ping: %w", &client.FaultError{Code: 2, Message: "<class 'sqlite3.OperationalError'>:no"}),
		"h:1 refuses: ping: no":                     fmt.Errorf("ping: %w", &asyncrpc.InvokeError{Message: "ping: no"}),
		"h:1 gave no value: its log says why":       fmt.Errorf("getPR: %w", client.ErrNoValue),
		"asking h:1: getPR: unexpected end of file": errors.New("getPR: unexpected end of file"),
	} {
		if got := ServerError(Place{Server, "h:1"}, err); got.Error() != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}
