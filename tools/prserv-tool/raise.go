package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
)

func (p *program) raiseTwinsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "raise-twins PLACE [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "give checksums that share a number one of their own each",
		Long: `Finds twins, which are checksums that share the greatest value of their version
and pkgarch, and gives each of them the next free number above it. The twin
whose row comes first in PLACE keeps its number: after a merge, that is the one
which the destination had before. Twins come from merging what two servers have
given out; until they are raised, different packages get the same number.

A file or a PostgreSQL database changes in one step. A server takes one value
after the other, and builds may go on; run an interrupted command again to
finish it. The exit code is 1 if there is no number left for some twin.`,
		Example: `  prserv-tool raise-twins merged.sqlite3
  prserv-tool raise-twins prhost.example:8585`,
		SuggestFor: []string{"raise", "twins", "renumber", "repair", "mend", "fix", "split"},
		Args:       arguments(1, 1, "raise the twins of which place? Name a HOST:PORT, a file or a postgres:// URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			of, err := parse(args[0], format)
			if err != nil {
				return err
			}
			return p.raiseTwins(cmd.Context(), of)
		},
		ValidArgsFunction: completePlaces(1),
	}
	formatOption(cmd, &format)
	return cmd
}

func (p *program) raiseTwins(ctx context.Context, of place.Place) error {
	raised, err := p.work.RaiseTwins(ctx, of)
	switch {
	case err != nil && ctx.Err() != nil:
		return interruptedCopy(of)
	case err != nil:
		return err
	}
	line := fmt.Sprintf("%s of %s raised", count(raised.Rows, "checksum"), count(raised.Versions, "version"))
	if of.Name == "-" {
		p.say(line) // stdout has the values
	} else if _, err := fmt.Fprintln(p.stdout, line); err != nil {
		return err
	}
	if raised.Left > 0 {
		return errFound
	}
	return nil
}
