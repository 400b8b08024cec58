package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"prserver/prserv/history"
	"prserver/prserv/visible"
)

func (p *program) historyCommand() *cobra.Command {
	var version, since string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "history PLACE [OPTIONS]",
		GroupID: groupPlaces,
		Short:   "print who got which value when",
		Long: `Prints the history that bitbake-prserv keeps beside its database, or where its
--history says, the oldest event first: the last 1,000,000 values that it has
stored. PLACE is the database file or that of the history, which a server may be
writing, or the HOST:PORT of the server's --status.

A line has the time (UTC), client, generation of BitBake (1 is up to 1.50, 2
up to 2.8, 3 later ones, 0 unknown), the method, version, pkgarch, checksum and
value, and the greatest value of the version and pkgarch before, with tabs
between. The value of a call that was not obeyed is "refused: " and the option
that says so, such as allow-import; the first one of a client and hour is kept.
With --json, stdout has one object: an array "events" of objects, which have the
number of the event as well, "id".`,
		Example: `  prserv-tool history /srv/prserv/prserv.sqlite3 --version 'gtk*' --since 7d
  prserv-tool history /srv/prserv/prserv.sqlite3 --since 2026-11-01 --json`,
		SuggestFor: []string{"log", "events", "when"},
		Args:       arguments(1, 1, "which history? Name a database file, its history, or the HOST:PORT of the server's --status"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f := history.Filter{Version: version}
			var err error
			if f.Since, err = parseSince(since, time.Now()); err != nil {
				return err
			}
			return p.history(cmd.Context(), args[0], f, asJSON)
		},
		ValidArgsFunction: completeFile,
	}
	cmd.Flags().Var(word{&version, "GLOB"}, "version", "only events whose version matches this pattern")
	complete(cmd, "version", nil)
	cmd.Flags().Var(word{&since, "WHEN"}, "since", "only events of this time (UTC) and later: 2026-11-01, 2026-11-01T08:30, or 2w, 7d, 12h, 30m ago")
	complete(cmd, "since", nil)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// parseSince returns the time that an option names; the zero time for none.
func parseSince(text string, now time.Time) (time.Time, error) {
	at, ok := history.ParseSince(text, now)
	if text != "" && !ok {
		return at, fmt.Errorf("--since %q is no time; write 2026-11-01, 2026-11-01T08:30 (UTC), or 2w, 7d, 12h, 30m for that long ago", text)
	}
	return at, nil
}

func (p *program) history(ctx context.Context, from string, f history.Filter, asJSON bool) error {
	out := bufio.NewWriter(p.stdout)
	if asJSON {
		list := newJSONList(out, "events")
		err := p.readEvents(ctx, from, f, func(e history.Event) error { return list.add(e) })
		if err == nil {
			_, err = io.WriteString(out, list.end()+"}\n")
		}
		return flush(out, err)
	}
	err := p.readEvents(ctx, from, f, func(e history.Event) error {
		line := []string{e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"), e.Client, strconv.Itoa(e.Generation), e.Method,
			e.Version, e.Pkgarch, e.Checksum, e.Value, e.Before}
		for i := range line {
			line[i] = visible.Text(line[i])
		}
		_, err := fmt.Fprintln(out, strings.Join(line, "\t"))
		return err
	})
	return flush(out, err)
}
