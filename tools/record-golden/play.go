package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"prserver/compat/golden"
)

// patience is how long the reference may take for one reply. It is long, so that a busy machine does not look
// like a request that hangs.
const patience = 30 * time.Second

// record plays a session to a fresh reference and returns it with the replies.
func record(ctx context.Context, ref reference, session golden.Session) (golden.Session, error) {
	var options []string
	if session.ReadOnly {
		options = append(options, "--read-only")
	}
	if !session.Upstream {
		return recordWith(ctx, ref, session, options, "")
	}
	upstream, err := ref.start(ctx, session.UpstreamSeed)
	if err != nil {
		return golden.Session{}, fmt.Errorf("starting the reference upstream: %w", err)
	}
	played, err := recordWith(ctx, ref, session, append(options, "--upstream", upstream.addr), upstream.addr)
	if stopErr := upstream.stop(); err == nil && stopErr != nil {
		err = fmt.Errorf("stopping the reference upstream: %w", stopErr)
	}
	return played, err
}

// recordWith plays a session to a fresh reference that has been started with options, and to the one upstream.
func recordWith(ctx context.Context, ref reference, session golden.Session, options []string, upstream string) (golden.Session, error) {
	server, err := ref.start(ctx, session.Seed, options...)
	if err != nil {
		return golden.Session{}, fmt.Errorf("starting the reference: %w", err)
	}
	played, err := play(ctx, server.addr, upstream, session, patience)
	// A cancelled recording has to stop its server too.
	if stopErr := server.stop(); err == nil && stopErr != nil {
		err = fmt.Errorf("stopping the reference: %w", stopErr)
	}
	return played, err
}

// play holds the exchanges in their order, with the server at addr or, where an exchange says so, with the one
// upstream. One that gets no reply in time ends the session with an error: it cannot be recorded, and those after it may
// depend on it.
func play(ctx context.Context, addr, upstream string, session golden.Session, patience time.Duration) (golden.Session, error) {
	played := session
	played.Exchanges = nil
	for i, exchange := range session.Exchanges {
		if exchange.Reply == nil && !session.JSONLines {
			exchange.Request = fillLength(exchange.Request)
		}
		to := addr
		if exchange.Upstream {
			to = upstream
		}
		reply, err := sendPatiently(ctx, to, exchange, patience)
		if ctx.Err() != nil {
			return golden.Session{}, ctx.Err()
		}
		if err != nil {
			return golden.Session{}, fmt.Errorf("exchange %d (%s): %w", i+1, exchange.About, err)
		}
		exchange.Reply = session.Normalise(reply)
		played.Exchanges = append(played.Exchanges, exchange)
	}
	return played, nil
}

func sendPatiently(ctx context.Context, addr string, exchange golden.Exchange, patience time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reply, err := golden.Send(ctx, addr, exchange)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return nil, fmt.Errorf("no reply within %s; if the request is cut short, \"! half-close\" ends it: %w", patience, err)
	}
	return reply, err
}

// fillLength puts the length of the body in place of the "*" in "Content-Length: *", so that whoever writes a new
// request need not count.
func fillLength(request []byte) []byte {
	const headEnd, length = "\r\n\r\n", "\r\nContent-Length: "
	head, body, found := strings.Cut(string(request), headEnd)
	if !found {
		return request
	}
	head = strings.Replace(head+headEnd, length+"*\r\n", length+strconv.Itoa(len(body))+"\r\n", 1)
	return []byte(head + body)
}
