package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"prserver/compat"
	"prserver/prserv/client"
	"prserver/prserv/status"
)

// checkTimeout is how long a server may take to answer --check. Container
// engines and service managers give a check 10 to 30 seconds.
const checkTimeout = 5 * time.Second

// check asks the running server of these options how it is, and writes one line
// to stdout. It asks the status listener, if the options name one, whether a
// value could be stored; otherwise the port of the PR clients, whether a server
// answers. The error says why not.
func check(ctx context.Context, opts compat.Options, stdout io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("no answer within %v", checkTimeout))
	defer cancel()
	if opts.Status != "" {
		return checkReady(ctx, opts.Status, stdout)
	}
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("%s:%d", ip, opts.Port)
	server, err := client.Find(ctx, addr, checkTimeout)
	switch {
	case errors.Is(err, client.ErrNoAnswer):
		return err // it names the server
	case err != nil:
		return fmt.Errorf("asking %s: %w", addr, err)
	}
	defer server.Close()
	if server.Trouble != nil {
		return fmt.Errorf("%s answers with an error: %w; its log says more", addr, server.Trouble)
	}
	fmt.Fprintln(stdout, addr, "answers")
	return nil
}

// checkReady asks the status listener that --status names for /readyz.
func checkReady(ctx context.Context, where string, stdout io.Writer) error {
	addr, port, err := statusAddress(where)
	if err != nil {
		return err
	}
	if port == 0 {
		return wrongValue("--status %s leaves the port open; give the one that the log of the server names", where)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking --status %s: %w", where, err)
	}
	// A transport of its own, since the default one goes through proxies.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("asking the status at %s: %w; does the server run, with this --status?", addr, reason(err))
	}
	defer resp.Body.Close()
	const longest = 4 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	if err != nil {
		return fmt.Errorf("asking the status at %s: %w", addr, err)
	}
	line, _, _ := strings.Cut(string(body), "\n")
	isText := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain")
	switch {
	case resp.StatusCode == http.StatusOK && line == status.Ready:
		fmt.Fprintln(stdout, addr, "is ready")
		return nil
	case resp.StatusCode == http.StatusServiceUnavailable && isText:
		return fmt.Errorf("%s is not ready: %s", addr, line)
	case resp.StatusCode == http.StatusForbidden && isText:
		return fmt.Errorf("%s does not tell: %s; add that address to it", addr, line)
	}
	return fmt.Errorf("%s is no status of a PR server: it answers %s; give the address of --status, not that of the PR clients", addr, resp.Status)
}
