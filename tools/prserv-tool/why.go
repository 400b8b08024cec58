package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

// toldEvents is how many events of a version and pkgarch why tells: the last
// ones say how the greatest value came to be.
const toldEvents = 10

func (p *program) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "why PLACE PACKAGE",
		GroupID: groupPlaces,
		Short:   "tell how the value of a package came to be",
		Long: `Tells in sentences who got the last values of a package, and when. PLACE is the
file that bitbake-prserv --history keeps, or the HOST:PORT of its --status, not
that of the PR clients. PACKAGE is a name such as bash, or a version such as
bash-5.2-r0.`,
		Example: `  prserv-tool why 127.0.0.1:8586 bash
  prserv-tool why /srv/prserv/history.sqlite3 bash-5.2-r0`,
		SuggestFor: []string{"explain", "who", "blame"},
		Args:       arguments(2, 2, "which package? Name a history, and behind it the package"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.why(cmd.Context(), args[0], args[1])
		},
		ValidArgsFunction: completeFile,
	}
}

// past is what happened to a version and pkgarch.
type past struct {
	version, pkgarch string
	last             []history.Event // the last ones
	left             int             // how many came before those
	greatest         store.Revision
	had              map[string]string // the last value of each checksum, before the first of last
}

func (p *program) why(ctx context.Context, from, name string) error {
	var all []*past
	byKey := map[[2]string]*past{}
	err := readEvents(ctx, from, history.Filter{Version: globOf(name) + "*"}, func(e history.Event) error {
		if e.Version != name && !strings.HasPrefix(e.Version, name+"-") {
			return nil
		}
		key := [2]string{e.Version, e.Pkgarch}
		if byKey[key] == nil {
			byKey[key] = &past{version: e.Version, pkgarch: e.Pkgarch, had: map[string]string{}}
			all = append(all, byKey[key])
		}
		byKey[key].add(e)
		return nil
	})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("%s has no event of %s; values that are older than the history, or known to another server, are not in it", from, name)
	}
	out := bufio.NewWriter(p.stdout)
	for _, of := range all {
		of.tell(out)
	}
	return flush(out, nil)
}

// globOf returns the pattern of a text.
func globOf(text string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(text)
}

func (of *past) add(e history.Event) {
	if v, ok := store.ParseRevision(e.Value); ok && v.Compare(of.greatest) > 0 {
		of.greatest = v
	}
	if of.last = append(of.last, e); len(of.last) > toldEvents {
		of.had[of.last[0].Checksum] = of.last[0].Value
		of.last = of.last[1:]
		of.left++
	}
}

// tell writes the sentences.
func (of *past) tell(out io.Writer) {
	fmt.Fprintf(out, "%s of %s is at %s.\n", printable(of.version), printable(of.pkgarch), of.greatest)
	if of.left > 0 {
		fmt.Fprintf(out, "  %s before these.\n", count(int64(of.left), "event"))
	}
	for _, e := range of.last {
		fmt.Fprintf(out, "  %s: %s\n", e.Time.Format("2006-01-02 15:04:05"), printable(sentence(e, of.had[e.Checksum])))
		of.had[e.Checksum] = e.Value
	}
}

// sentence tells of an event. had is what the checksum had before.
func sentence(e history.Event, had string) string {
	who := e.Client
	if who == "" {
		who = "somebody"
	}
	if release, ok := releases[e.Generation]; ok {
		who += ", with BitBake " + release + ","
	}
	value, ok := store.ParseRevision(e.Value)
	before, known := store.ParseRevision(e.Before)
	behind := ""
	switch {
	case ok && known && value.Compare(before) < 0:
		behind = fmt.Sprintf(", which is below the greatest, %s", e.Before)
	case known:
		behind = fmt.Sprintf("; the greatest was %s", e.Before)
	}
	if e.Method == "importone" || e.Method == "import-one" {
		return fmt.Sprintf("%s imported %s for the checksum %s%s.", who, e.Value, e.Checksum, behind)
	}
	what := "which was new to the history" // the server may have had it before
	if had != "" {
		what = "which had " + had
	}
	return fmt.Sprintf("%s asked for the checksum %s, %s, and got %s%s.", who, e.Checksum, what, e.Value, behind)
}

// releases are the releases of each generation.
var releases = map[int]string{1: "up to 1.50", 2: "1.52 to 2.8", 3: "2.10 or later"}
