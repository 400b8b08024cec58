package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
	"prserver/prserv/visible"
)

func (p *program) listCommand() *cobra.Command {
	var format string
	var o place.ListOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [PLACE] [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "print the values of a place",
		Long: `Prints the values of a place; without PLACE, of the server that PRSERV_HOST
names. Options choose rows by patterns: * stands for any text and ? for any
character, and a row must match all patterns.

A terminal gets a table. A pipe or a file gets the bare rows: version, pkgarch,
checksum and value with tabs between. Of a package feed, the names of the first
binary packages that have the number stand in place of the checksum.

With --json, stdout has one object: an array "rows" of objects with "version",
"pkgarch", "checksum" and "value". All are texts, because a value of BitBake
2.10 may be 3.1.`,
		Example: `  prserv-tool list prserv.sqlite3 --version 'bash-*' --greatest
  prserv-tool list prhost.example:8585 --pkgarch core2-64 | cut -f 1 | uniq -c`,
		SuggestFor: []string{"ls", "show", "dump", "print", "cat"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := placeOf(args, 0, format)
			if err != nil {
				return err
			}
			return p.list(cmd.Context(), from, o, asJSON)
		},
		ValidArgsFunction: completePlaces(1),
	}
	for _, option := range []struct {
		value *string
		name  string
	}{{&o.Version, "version"}, {&o.Pkgarch, "pkgarch"}, {&o.Checksum, "checksum"}} {
		cmd.Flags().Var(word{option.value, "GLOB"}, option.name, "only rows whose "+option.name+" matches this pattern")
		complete(cmd, option.name, nil)
	}
	cmd.Flags().BoolVar(&o.Greatest, "greatest", false, "only rows that hold the greatest value of their version and pkgarch")
	p.feedOptions(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	formatOption(cmd, &format)
	return cmd
}

func (p *program) list(ctx context.Context, from place.Place, o place.ListOptions, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	if asJSON {
		return flush(out, p.listJSON(ctx, from, o, out))
	}
	rows := table{out: out, aligned: p.terminal}
	err := p.work.List(ctx, from, o, func(r place.Row) error {
		return rows.add([columns]string{visible.Text(r.Version), visible.Text(r.Pkgarch), visible.Text(r.Checksum), visible.Text(r.Value)})
	})
	if failed := rows.end(); err == nil {
		err = failed
	}
	return flush(out, err)
}

func (p *program) listJSON(ctx context.Context, from place.Place, o place.ListOptions, out io.Writer) error {
	list := newJSONList(out, "rows")
	err := p.work.List(ctx, from, o, func(r place.Row) error {
		return list.add(struct {
			Version  string `json:"version"`
			Pkgarch  string `json:"pkgarch"`
			Checksum string `json:"checksum"`
			Value    string `json:"value"`
		}(r))
	})
	if err == nil {
		_, err = io.WriteString(out, list.end()+"}\n")
	}
	return err
}

const columns = 4

var heading = [columns]string{"VERSION", "PKGARCH", "CHECKSUM", "VALUE"}

// looked is how many rows tell how wide columns are. All of them would have to
// be held in memory.
const looked = 1000

// table writes rows, for a person with a heading and aligned columns.
type table struct {
	out     io.Writer
	aligned bool
	waiting [][columns]string // rows before the widths are known
	begun   bool
	widths  [columns]int
}

func (t *table) add(row [columns]string) error {
	switch {
	case !t.aligned:
		_, err := fmt.Fprintf(t.out, "%s\t%s\t%s\t%s\n", row[0], row[1], row[2], row[3])
		return err
	case t.begun:
		return t.write(row)
	}
	t.waiting = append(t.waiting, row)
	if len(t.waiting) < looked {
		return nil
	}
	return t.begin()
}

// begin writes the rows that have waited.
func (t *table) begin() error {
	t.begun = true
	rows := append([][columns]string{heading}, t.waiting...)
	t.waiting = nil
	for _, row := range rows {
		t.widen(row)
	}
	for _, row := range rows {
		if err := t.write(row); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) widen(row [columns]string) {
	for i, cell := range row {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
	}
}

func (t *table) write(row [columns]string) error {
	t.widen(row)
	_, err := fmt.Fprintf(t.out, "%-*s  %-*s  %-*s  %*s\n", t.widths[0], row[0], t.widths[1], row[1],
		t.widths[2], row[2], t.widths[3], row[3])
	return err
}

// end writes what is left. Without a row there is no heading.
func (t *table) end() error {
	if len(t.waiting) == 0 {
		return nil
	}
	return t.begin()
}
