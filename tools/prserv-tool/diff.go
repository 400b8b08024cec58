package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
	"prserver/prserv/visible"
)

func (p *program) diffCommand() *cobra.Command {
	var format string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "diff A [B] [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "compare the values of two places",
		Long: `Compares the values of two places, A and B; without B, it is the server that
PRSERV_HOST names. The exit code is 0 if the values are equal, 1 if they differ,
2 for trouble. Every difference is a line with tabs between:

    <  version  pkgarch  checksum  value             only A has it
    >  version  pkgarch  checksum  value             only B has it
    !  version  pkgarch  checksum  A's value  B's    both have it

The number of each goes to stderr. It counts checksums: with BitBake 2.10 and
later one may have several values, which stand with commas between them, such as
10,12, and which copy counts as rows. If A or B is a package feed, the greatest
values of each version and pkgarch are compared and counted, and in place of the
checksum stand the first binary packages that have the number.

With --json, stdout has one object: an array "differences" of objects with
"version", "pkgarch", "checksum" and the values "a" and "b", of which one may be
missing, and the counts "only_a", "only_b", "other" and "same".`,
		Example: `  prserv-tool diff old.sqlite3 prhost.example:8585
  prserv-tool diff --json a.sql b.sql | jq .other`,
		SuggestFor: []string{"compare", "cmp"},
		Args:       arguments(1, 2, "compare what? Name A, and B unless it is the server of "+hostVariable),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := parse(args[0], format)
			if err != nil {
				return err
			}
			b, err := placeOf(args, 1, format)
			switch {
			case err != nil:
				return err
			case a.Name == "-" && b.Name == "-":
				return errors.New("standard input cannot be both A and B; name a file")
			}
			return p.diff(cmd.Context(), a, b, asJSON)
		},
		ValidArgsFunction: completePlaces(2),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	p.feedOptions(cmd)
	formatOption(cmd, &format)
	return cmd
}

func (p *program) diff(ctx context.Context, a, b place.Place, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	var compared place.Compared
	var err error
	if asJSON {
		compared, err = p.diffJSON(ctx, a, b, out)
	} else {
		compared, err = p.work.Diff(ctx, a, b, func(d place.Difference) error { return writeDifference(out, d) })
	}
	if err = flush(out, err); err != nil {
		return err
	}
	if !asJSON {
		thing := "checksum"
		if a.Kind == place.Feed || b.Kind == place.Feed {
			thing = "version"
		}
		p.say(fmt.Sprintf("%s: %d only in %s, %d only in %s, %d with other values, %d equal",
			count(compared.OnlyA+compared.OnlyB+compared.Other+compared.Same, thing),
			compared.OnlyA, a, compared.OnlyB, b, compared.Other, compared.Same))
	}
	if compared.OnlyA+compared.OnlyB+compared.Other > 0 {
		return errFound
	}
	return nil
}

// flush writes what is left, also of work that has failed with err: it tells
// how far that came.
func flush(out *bufio.Writer, err error) error {
	if failed := out.Flush(); err == nil && failed != nil {
		return fmt.Errorf("writing the result: %w", failed)
	}
	return err
}

func writeDifference(out io.Writer, d place.Difference) error {
	mark, values := "!", visible.Text(d.A)+"\t"+visible.Text(d.B)
	switch {
	case d.B == "":
		mark, values = "<", visible.Text(d.A)
	case d.A == "":
		mark, values = ">", visible.Text(d.B)
	}
	_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", mark, visible.Text(d.Version), visible.Text(d.Pkgarch), visible.Text(d.Checksum), values)
	return err
}

// diffJSON writes every difference when it is found: millions of them would
// not fit into memory.
func (p *program) diffJSON(ctx context.Context, a, b place.Place, out io.Writer) (place.Compared, error) {
	list := newJSONList(out, "differences")
	compared, err := p.work.Diff(ctx, a, b, func(d place.Difference) error {
		return list.add(struct {
			Version  string `json:"version"`
			Pkgarch  string `json:"pkgarch"`
			Checksum string `json:"checksum"`
			A        string `json:"a,omitempty"`
			B        string `json:"b,omitempty"`
		}(d))
	})
	if err != nil {
		return compared, err // half an object is no JSON, so nobody takes it for all
	}
	_, err = fmt.Fprintf(out, "%s,\n\"only_a\":%d,\"only_b\":%d,\"other\":%d,\"same\":%d}\n",
		list.end(), compared.OnlyA, compared.OnlyB, compared.Other, compared.Same)
	return compared, err
}

// jsonList writes an object that begins with an array, one element a line.
type jsonList struct {
	out   io.Writer
	begin string // what comes before the next element
}

func newJSONList(out io.Writer, name string) *jsonList {
	return &jsonList{out, fmt.Sprintf("{%q:[\n", name)}
}

func (l *jsonList) add(element any) error {
	text, err := json.Marshal(element)
	if err == nil {
		_, err = fmt.Fprintf(l.out, "%s%s", l.begin, text)
		l.begin = ",\n"
	}
	return err
}

// end returns what ends the array.
func (l *jsonList) end() string {
	if l.begin == ",\n" {
		return "\n]"
	}
	return l.begin + "]"
}
