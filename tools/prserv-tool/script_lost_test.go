package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/client"
	packagefeed "prserver/prserv/feed"
	"prserver/prserv/feed/feedtest"
	"prserver/tools/internal/scripttest"
)

// TestLostDatabase tells the whole story of a lost database for each format of
// packages, once with clients of XML-RPC and once with those of BitBake 2.10.
// The programs that devices have compare the versions.
func TestLostDatabase(t *testing.T) {
	for _, format := range []packagefeed.Format{packagefeed.Ipk, packagefeed.Deb, packagefeed.Rpm} {
		for generation, styles := range map[string][]feedtest.Style{
			"1": {feedtest.NoCount, feedtest.Nanbield}, "3": {feedtest.NoCount, feedtest.Scarthgap, feedtest.Wrynose},
		} {
			t.Run(string(format)+generation, func(t *testing.T) {
				if _, err := exec.LookPath(comparers[format]); err != nil {
					t.Skipf("%s is not installed, which compares the versions of %s packages", comparers[format], format)
				}
				s := lostStory{format, generation, styles}
				scripttest.Run(t, testscript.Params{
					Dir: filepath.Join("testdata", "lost"),
					Setup: func(env *testscript.Env) error {
						env.Setenv("GENERATION", generation)
						env.Setenv("RECIPES", strconv.Itoa(s.recipes()))
						return nil
					},
					Cmds: map[string]scripttest.Command{"prserv": scripttest.PRServer, "builds": s.builds,
						"publishes": s.publishes, "goes-up": s.goesUp},
				})
			})
		}
	}
}

// comparers are the programs that compare versions. Opkg compares those of ipks
// as dpkg does.
var comparers = map[packagefeed.Format]string{packagefeed.Ipk: "dpkg", packagefeed.Deb: "dpkg", packagefeed.Rpm: "rpm"}

type lostStory struct {
	format     packagefeed.Format
	generation string // of the clients
	styles     []feedtest.Style
}

const (
	perVersion = 16             // recipes of each PV: each PR with each architecture
	uncounted  = 4 * perVersion // recipes of the first style, which have the PVs
)

// recipes returns how many recipes there are: one of each kind.
func (s lostStory) recipes() int { return uncounted + (len(s.styles)-1)*perVersion }

// recipe returns one of the recipes.
func (s lostStory) recipe(i int) (feedtest.Recipe, feedtest.Style) {
	r := feedtest.Recipe{
		PN: fmt.Sprintf("recipe-%d", i), PR: []string{"r0", "r1", "r12", "r0.5"}[i%4],
		Arch: []string{"all", "core2-64", "qemux86_64", "x86"}[i/4%4],
	}
	if i%7 == 0 {
		r.PE = "2"
	}
	if r.Arch == "x86" {
		r.PN = "lib32-" + r.PN
	}
	if i < uncounted {
		r.PV = []string{"1.0", "2.0-rc1", "20240101", "3+dfsg"}[i/perVersion]
		return r, s.styles[0]
	}
	r.PV = "1.4+git"
	return r, s.styles[1+(i-uncounted)/perVersion]
}

// builds asks the server at $ADDR for the numbers of all recipes, in a state of
// their sources that a word names, and writes the packages to a file.
func (s lostStory) builds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: builds STATE FILE")
	}
	const workers = 8
	recipes := s.recipes()
	built := make([]feedtest.Built, recipes)
	errs := make([]error, workers)
	var waiting sync.WaitGroup
	for w := range workers {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			getPR := s.asks(ts.Getenv("ADDR"))
			for i := w; i < recipes && errs[w] == nil; i += workers {
				r, style := s.recipe(i)
				built[i], errs[w] = r.Build(style, fmt.Sprintf("%010x", args[0])[:10], "task-"+args[0], getPR)
			}
		}()
	}
	waiting.Wait()
	for _, err := range errs {
		ts.Check(err)
	}
	text, err := json.Marshal(built)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

// asks returns the getPR of a client of the generation.
func (s lostStory) asks(addr string) func(version, pkgarch, checksum string) (string, error) {
	xmlrpc, lines := client.New(addr, client.Timeout), client.NewJSONLines(addr, client.Timeout)
	return func(version, pkgarch, checksum string) (string, error) {
		if s.generation == "1" {
			value, err := xmlrpc.GetPR(context.Background(), version, pkgarch, checksum)
			return fmt.Sprint(value), err
		}
		value, err := lines.GetPR(context.Background(), version, pkgarch, checksum, new(bool)) // as from 2.10 on
		return value.String(), err
	}
}

// packages reads what builds has written.
func packages(ts *testscript.TestScript, file string) []feedtest.Built {
	var built []feedtest.Built
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &built))
	return built
}

// publishes makes a feed of packages.
func (s lostStory) publishes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publishes FOLDER FILE")
	}
	ts.Check(feedtest.Write(ts.MkAbs(args[0]), s.format, packages(ts, args[1])))
}

// goesUp compares the versions of the same packages of two builds.
func (s lostStory) goesUp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: goes-up FILE FILE")
	}
	before, after := packages(ts, args[0]), packages(ts, args[1])
	var script strings.Builder
	compared := map[[2]string]bool{} // many packages have the same versions
	for i := range before {
		a, b := before[i].Version(s.format), after[i].Version(s.format)
		if compared[[2]string{a, b}] {
			continue
		}
		compared[[2]string{a, b}] = true
		if s.format == packagefeed.Rpm {
			fmt.Fprintf(&script, "if rpm.vercmp('%s', '%s') >= 0 then print('%s is not below %s; ') end ", a, b, a, b)
		} else {
			fmt.Fprintf(&script, "dpkg --compare-versions '%s' lt '%s' || echo '%s is not below %s'\n", a, b, a, b)
		}
	}
	cmd := exec.Command("sh", "-c", script.String())
	if s.format == packagefeed.Rpm {
		cmd = exec.Command("rpm", "--eval", "%{lua: "+script.String()+"}")
	}
	out, err := cmd.CombinedOutput()
	ts.Check(err)
	if text := strings.TrimSpace(string(out)); text != "" {
		ts.Fatalf("of %d packages some go back:\n%s", len(before), text)
	}
}
