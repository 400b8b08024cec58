package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"prserver/prserv/history"
)

func (p *program) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "why PLACE PACKAGE",
		GroupID: groupPlaces,
		Short:   "tell how the value of a package came to be",
		Long: `Tells in sentences who got the greatest value of a package, and when, and what
happened to its values before: the last events, and older ones where a value
has jumped or gone backwards. PLACE is a database file that has its history
beside it, the file of a history, or the HOST:PORT of a server's --status, not
that of the PR clients. PACKAGE is a name such as bash, or a version such as
bash-5.2 or bash-5.2-r0.`,
		Example: `  prserv-tool why 127.0.0.1:8586 bash
  prserv-tool why /srv/prserv/prserv.sqlite3 bash-5.2-r0`,
		SuggestFor: []string{"explain", "who", "blame"},
		Args:       arguments(2, 2, "which package? Name a history, and behind it the package"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.why(cmd.Context(), args[0], args[1])
		},
		ValidArgsFunction: completeFile,
	}
}

func (p *program) why(ctx context.Context, from, name string) error {
	var all []*past
	byKey := map[[2]string]*past{}
	versions := globOf(strings.TrimPrefix(name, history.AutoInc)) + "*"
	for _, prefix := range []string{"", history.AutoInc} {
		err := p.readEvents(ctx, from, history.Filter{Version: prefix + versions}, func(e history.Event) error {
			// Also A* matches AUTOINC-.
			if strings.HasPrefix(e.Version, history.AutoInc) != (prefix != "") || !history.IsVersionOf(e.Version, name) {
				return nil
			}
			key := [2]string{e.Version, e.Pkgarch}
			if byKey[key] == nil {
				byKey[key] = newPast(e.Version, e.Pkgarch)
				all = append(all, byKey[key])
			}
			byKey[key].add(e)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s has no event of %s; it lacks the last second, values that are older than itself, and those of other servers", from, name)
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

// toldEvents is how many events of a version and pkgarch why tells, beside those
// where the values have jumped.
const toldEvents = 10
