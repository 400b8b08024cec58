package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
)

func (p *program) checkCommand() *cobra.Command {
	var format string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check [PLACE] [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "find what is wrong with a place",
		Long: `Finds what is wrong with a place; without PLACE, with the server that
PRSERV_HOST names. Every problem is a line that also says what to do about it.
The exit code is 0 if nothing is wrong, 1 if there are problems, 2 for trouble.
It changes no value.

With --json, stdout has one object: an array "problems" of objects with "what"
and "do", and the number of "rows".`,
		Example: `  prserv-tool check /srv/prserv/prserv.sqlite3
  PRSERV_HOST=prhost.example:8585 prserv-tool check --json`,
		SuggestFor: []string{"verify", "validate", "fsck", "doctor"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			of, err := placeOf(args, 0, format)
			if err != nil {
				return err
			}
			return p.check(cmd.Context(), of, asJSON)
		},
		ValidArgsFunction: completePlaces(1),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	formatOption(cmd, &format)
	return cmd
}

func (p *program) check(ctx context.Context, of place.Place, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	found := 0
	var list *jsonList
	each := func(problem place.Problem) error {
		_, err := fmt.Fprintf(out, "%s: %s; %s\n", of, printable(problem.What), printable(problem.Do))
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
