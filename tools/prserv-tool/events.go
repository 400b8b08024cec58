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
	// pageEvents is how many events a server is asked for at a time, which is the most
	// that it tells.
	pageEvents = 5000
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
	reason, err := readPages(ctx, from, f, each)
	if reason != "" && err == nil {
		p.say(fmt.Sprintf("prserv-tool: %s: the newest events are missing: %s", from, reason))
	}
	return err
}

// readPages calls each with the events that the status of a server has, page by
// page. It returns the reason why the newest are missing, if they are.
func readPages(ctx context.Context, addr string, f history.Filter, each func(history.Event) error) (reason string, err error) {
	query := url.Values{"version": {f.Version}, "limit": {strconv.Itoa(pageEvents)}}
	if !f.Since.IsZero() {
		query.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	for last := int64(0); ; {
		query.Set("after", strconv.FormatInt(last, 10))
		page, err := askStatus(ctx, addr, "/api/v1/history?"+query.Encode())
		if err != nil {
			return "", fmt.Errorf("asking %s for its history: %w", addr, err)
		}
		for _, e := range page.Events {
			if e.ID <= last {
				return "", fmt.Errorf("asking %s for its history: it does not tell page by page, as servers of this version do; name the file", addr)
			}
			last, e.Time = e.ID, e.Time.UTC()
			if err := each(e); err != nil {
				return "", err
			}
		}
		if !page.More || len(page.Events) == 0 {
			return page.Reason, nil
		}
	}
}

// otherPlace is what to do where nobody tells of a history.
const otherPlace = "; name the address of its --status, or the file"

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// eventsPage is a part of a server's history.
type eventsPage struct {
	Events []history.Event
	More   bool   // there are events behind those
	Reason string // why the newest are missing; empty if they are not
}

// askStatus asks a server's status for events. It does so directly: a proxy of the
// environment is for addresses elsewhere.
func askStatus(ctx context.Context, addr, path string) (page eventsPage, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, statusTimeout, fmt.Errorf("no answer within %v", statusTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return page, err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return page, fmt.Errorf("%w"+otherPlace, cmp.Or(context.Cause(ctx), err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		line, _ := bufio.NewReader(io.LimitReader(resp.Body, 500)).ReadString('\n')
		if line = strings.TrimSpace(line); line == "" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			return page, fmt.Errorf("it says: %s"+otherPlace, resp.Status)
		}
		return page, fmt.Errorf("it says: %s", line)
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return page, fmt.Errorf("reading its answer: %w"+otherPlace, cmp.Or(context.Cause(ctx), err))
	}
	return page, nil
}
