package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/place"
)

const (
	// statusTimeout bounds an answer of a server's status.
	statusTimeout = 30 * time.Second
	// mostEvents is how many events a server tells at most.
	mostEvents = 10000
)

// readEvents calls each with the events of a place: the file of a history, a
// database that has one beside it, or the HOST:PORT of --status of a server that
// keeps one.
func (p *program) readEvents(ctx context.Context, from string, f history.Filter, each func(history.Event) error) error {
	if of, err := place.Parse(from, ""); err == nil && of.Kind == place.PostgreSQL {
		return fmt.Errorf("%s: a PostgreSQL database keeps no history; name the file that bitbake-prserv --history keeps, or the HOST:PORT of its --status", of)
	}
	if _, err := parseServer(from); err != nil {
		err := history.Read(ctx, from, f, each)
		if beside := history.Beside(from); errors.Is(err, history.ErrNone) && exists(beside) {
			return history.Read(ctx, beside, f, each)
		}
		return err
	}
	query := url.Values{"version": {f.Version}, "last": {strconv.Itoa(mostEvents)}}
	if !f.Since.IsZero() {
		query.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	events, err := askStatus(ctx, from, "/api/v1/history?"+query.Encode())
	if err != nil {
		return fmt.Errorf("asking %s for its history: %w; name the address of its --status, or the file", from, err)
	}
	if len(events) == mostEvents {
		p.say(fmt.Sprintf("prserv-tool: %s tells the last %d events only; name the file of the history for older ones", from, mostEvents))
	}
	for _, e := range events {
		e.Time = e.Time.UTC()
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// askStatus asks a server's status for events. It does so directly: a proxy of the
// environment is for addresses elsewhere.
func askStatus(ctx context.Context, addr, path string) ([]history.Event, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, statusTimeout, fmt.Errorf("no answer within %v", statusTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		line, _ := bufio.NewReader(io.LimitReader(resp.Body, 500)).ReadString('\n')
		if line = strings.TrimSpace(line); line == "" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			line = resp.Status
		}
		return nil, fmt.Errorf("it says: %s", line)
	}
	var answer struct{ Events []history.Event }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading its answer: %w", cmp.Or(context.Cause(ctx), err))
	}
	return answer.Events, nil
}
