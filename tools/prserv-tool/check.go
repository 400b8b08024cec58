package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
	"prserver/prserv/visible"
)

func (p *program) checkCommand() *cobra.Command {
	var format, published string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check [PLACE] [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "find what is wrong with a place",
		Long: `Finds what is wrong with a place; without PLACE, with the server that
PRSERV_HOST names. Every problem is a line that also says what to do about it.
The exit code is 0 if nothing is wrong, 1 if there are problems, 2 for trouble.
It changes no value.

With --published, it finds instead what a package feed or a buildhistory has
published above the numbers of PLACE, or of what PLACE does not know: a server
would give these numbers out once more, or lower ones, and devices would refuse
the packages. Each is a line with tabs between: package, version, pkgarch, the
published number, the greatest that PLACE knows or -, and where it was found; if
the version can be read in more than one way, also how it was read. The command
that raises them goes to stderr. Nothing is printed if all is well. If PLACE is
a feed as well, one that is yet to be published, only versions count that both
have.

With --json, stdout has one object: an array "problems" of objects with "what"
and "do", and the number of "rows"; or with --published, an array "published"
and what to "do" if it is not empty.`,
		Example: `  PRSERV_HOST=prhost.example:8585 prserv-tool check --json
  prserv-tool check prhost.example:8585 --published tmp/deploy/ipk/`,
		SuggestFor: []string{"verify", "validate", "fsck", "doctor"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			of, err := placeOf(args, 0, format)
			switch {
			case err != nil:
				return err
			case cmd.Flags().Changed("published"):
				feed, err := parse(published, format)
				if err != nil {
					return err
				}
				return p.checkPublished(cmd.Context(), of, feed, asJSON)
			}
			return p.check(cmd.Context(), of, asJSON)
		},
		ValidArgsFunction: completePlaces(1),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	publishedOption(cmd, &published)
	p.feedOptions(cmd)
	formatOption(cmd, &format)
	return cmd
}

func (p *program) check(ctx context.Context, of place.Place, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	found := 0
	var list *jsonList
	each := func(problem place.Problem) error {
		_, err := fmt.Fprintf(out, "%s: %s; %s\n", of, visible.Text(problem.What), visible.Text(problem.Do))
		return err
	}
	if asJSON {
		list = newJSONList(out, "problems")
		each = func(problem place.Problem) error {
			return list.add(struct {
				What string `json:"what"`
				Do   string `json:"do"`
			}(problem))
		}
	}
	rows, err := p.work.Check(ctx, of, func(problem place.Problem) error {
		found++
		return each(problem)
	})
	if err == nil {
		switch {
		case asJSON:
			_, err = fmt.Fprintf(out, "%s,\n\"rows\":%d}\n", list.end(), rows)
		case found == 0 && rows == 0:
			_, err = fmt.Fprintf(out, "%s: nothing wrong, but it has no value, so every number starts at 0\n", of)
		case found == 0:
			_, err = fmt.Fprintf(out, "%s: nothing wrong\n", of)
		}
	}
	if err = flush(out, err); err == nil && found > 0 {
		err = errFound
	}
	return err
}
