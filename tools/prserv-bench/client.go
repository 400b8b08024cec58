package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// callTimeout is how long BitBake waits for an answer.
const callTimeout = 60 * time.Second

// caller makes one call after the other. It writes and reads HTTP, and JSON,
// itself: the packages for them would use more CPU time than the server.
type caller struct {
	load    load
	addr    string
	run     string // part of every new checksum, so that no two runs share one
	number  int
	made    int // number of new checksums so far
	random  *rand.Rand
	conn    net.Conn
	release func() bool // stops the watch that closes conn when the context ends
	reader  *bufio.Reader
	request bytes.Buffer
	body    bytes.Buffer

	latencies []time.Duration
	errors    int
	first     error
}

// measure makes a call and, if counted, records its latency or its error.
func (c *caller) measure(ctx context.Context, counted bool) {
	key, checksum := c.random.IntN(c.load.Keys), "known"
	if c.random.IntN(100) < c.load.NewPercent {
		key, checksum = c.load.Keys+key, fmt.Sprintf("%s-%d-%d", c.run, c.number, c.made)
		c.made++
	}
	start := time.Now()
	err := c.call(ctx, key, checksum)
	if !counted {
		return
	}
	if err != nil {
		c.errors++
		if c.first == nil {
			c.first = err
		}
		return
	}
	c.latencies = append(c.latencies, time.Since(start))
}

// call asks for a value. It uses the kept connection if there is one, or opens
// one.
func (c *caller) call(ctx context.Context, key int, checksum string) error {
	isNew := c.conn == nil
	if isNew {
		dialer := net.Dialer{Timeout: callTimeout}
		if c.load.Generation > 1 {
			c.spread(&dialer)
		}
		conn, err := dialer.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return explain(err)
		}
		c.conn = conn
		c.release = context.AfterFunc(ctx, func() { conn.Close() })
		if c.reader == nil {
			c.reader = bufio.NewReader(conn)
		}
		c.reader.Reset(conn)
	}
	c.conn.SetDeadline(time.Now().Add(callTimeout))
	if c.load.Generation > 1 {
		c.writeLine(key, checksum, isNew)
	} else {
		c.writeRequest(key, checksum)
	}
	if _, err := c.conn.Write(c.request.Bytes()); err != nil {
		c.hangUp()
		return explain(err)
	}
	open := c.load.KeepAlive
	var err error
	if c.load.Generation > 1 {
		err = c.readLine()
	} else {
		open, err = c.readReply()
	}
	if err != nil || !open {
		c.hangUp()
	}
	return explain(err)
}

// explain adds to common errors what to do about them.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; is the server running, and on that port?", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: no local ports are left; use fewer connections with --keep-alive or a shorter --duration", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer within %v; BitBake gives up then, too: %w", callTimeout, err)
	}
	return err
}

// quoted returns the beginning of what a program said, quoted, on one line.
func quoted(b []byte) string {
	const most = 200
	b = bytes.TrimSpace(b)
	if len(b) > most {
		return strconv.Quote(string(b[:most])) + "..."
	}
	return strconv.Quote(string(b))
}

func (c *caller) hangUp() {
	if c.conn != nil {
		c.release()
		c.conn.Close()
		c.conn = nil
	}
}
