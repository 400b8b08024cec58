package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
)

func (p *program) copyCommand() *cobra.Command {
	var format string
	var o place.CopyOptions
	cmd := &cobra.Command{
		Use:     "copy SRC DST [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "copy the values of a place to another",
		Long: `Copies the values of SRC to DST, and lowers none there: if both have a value of
a checksum, the greater one stays. It prints how many rows were new, raised and
kept. A file that does not exist is made. One that exists changes in one step at
the end, and stays as it was if the copy fails or is interrupted; so does a
PostgreSQL database, also while servers run on it. A server takes one value
after the other; run an interrupted copy again to finish it.

A package feed or a buildhistory as SRC raises the greatest value of each
version and pkgarch to what was published, with one row whose checksum begins
with "published-", and only where DST has less. A new DST gets all of them, so
that the numbers go on where a database was lost.`,
		Example: `  prserv-tool copy prhost.example:8585 prserv-export.inc --replace
  prserv-tool copy tmp/deploy/ipk/ prserv.sqlite3
  prserv-tool copy prserv.sqlite3 postgres://prserv@db.example/prserv`,
		SuggestFor: []string{"cp", "export", "import", "merge", "migrate", "convert", "salvage", "recover"},
		Args:       arguments(2, 2, "copy from where to where? Name SRC and DST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, dst, err := twoPlaces(args[0], args[1], format)
			if err != nil {
				return err
			}
			return p.copy(cmd.Context(), src, dst, o)
		},
		ValidArgsFunction: completePlaces(2),
	}
	cmd.Flags().Var((*generation)(&o.Generation), "generation", "make a database file or dump for 1, BitBake up to 2.8, or for 3, 2.10 and later "+
		"(our server takes both); by default as DST is, or else SRC")
	complete(cmd, "generation", []string{"1", "3"})
	cmd.Flags().BoolVar(&o.All, "all", false, "write all rows to a .inc or .conf, not only the greatest value of each version and pkgarch")
	cmd.Flags().BoolVar(&o.Replace, "replace", false, "write an existing .sql, .inc or .conf anew instead of merging")
	cmd.Flags().BoolVar(&o.Salvage, "salvage", false, "take what can be read of a damaged database file or dump, and leave out rows that are no PR values")
	p.feedOptions(cmd)
	formatOption(cmd, &format)
	return cmd
}

// twoPlaces returns the places that two names mean.
func twoPlaces(a, b, format string) (pa, pb place.Place, err error) {
	if pa, err = parse(a, format); err == nil {
		pb, err = parse(b, format)
	}
	return pa, pb, err
}

// generation is the value of --generation.
type generation int

func (g *generation) Set(value string) error {
	switch value {
	case "1":
		*g = 1
	case "3":
		*g = 3
	default:
		return errors.New("there is no such generation; it is 1 for BitBake up to 2.8, or 3 for 2.10 and later")
	}
	return nil
}

func (g *generation) String() string {
	if *g == 0 {
		return ""
	}
	return fmt.Sprint(int(*g))
}

func (g *generation) Type() string { return "1|3" }

func (p *program) copy(ctx context.Context, src, dst place.Place, o place.CopyOptions) error {
	copied, err := p.work.Copy(ctx, src, dst, o)
	line := copiedLine(copied)
	if copied.Lower > 0 {
		line += "; --all writes lower values as well"
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return interruptedCopy(dst)
	case err != nil:
		return err
	case dst.Name == "-":
		p.say(line) // stdout has the values
	default:
		_, err = fmt.Fprintln(p.stdout, line)
	}
	if err == nil && copied.NotWhole {
		err = errFound
	}
	return err
}

func interruptedCopy(dst place.Place) error {
	switch {
	case dst.Name == "-":
		return interruptedError("; what was written is not complete")
	case dst.Kind == place.Server:
		return interruptedError("; run it again to finish")
	}
	return interruptedError("; " + dst.String() + " is as it was")
}

func copiedLine(c place.Copied) string {
	line := fmt.Sprintf("%s: %d new, %d raised, %d kept", count(c.New+c.Raised+c.Kept+c.Left, "row"), c.New, c.Raised, c.Kept)
	if c.Left > 0 {
		line += fmt.Sprintf(", %d left out", c.Left)
	}
	return line
}
