package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// callTimeout is how long BitBake waits for an answer.
const callTimeout = 60 * time.Second

// load is what a server is loaded with.
type load struct {
	Clients    int
	NewPercent int
	KeepAlive  bool
	Duration   time.Duration
	Warmup     time.Duration
	Keys       int
	PID        int `json:"-"`
}

// results are what came of it. Latencies are in microseconds.
type results struct {
	Calls          int
	Errors         int
	FirstError     string `json:",omitempty"`
	CallsPerSecond float64
	P50, P99, P999 float64
	Max            float64
	// CPUPerCall is the server's CPU time a call in microseconds, 0 if unknown.
	CPUPerCall float64
}

// client asks one call after the other.
type client struct {
	load    load
	addr    string
	run     string // tells the new checksums of this run from those of others
	number  int
	made    int // how many new checksums it has made
	random  *rand.Rand
	conn    net.Conn
	reader  *bufio.Reader
	request bytes.Buffer
	body    bytes.Buffer

	latencies []time.Duration
	errors    int
	first     error
}

// run makes the known keys, loads the server and returns what was measured.
// tick is called with the time that has passed.
func (l load) run(ctx context.Context, addr string, tick func(time.Duration)) (*results, error) {
	clients := make([]*client, l.Clients)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	for i := range clients {
		clients[i] = &client{load: l, addr: addr, run: run, number: i, random: rand.New(rand.NewPCG(1, uint64(i)))}
	}
	if err := l.makeKeys(ctx, clients); err != nil {
		return nil, fmt.Errorf("asking %s: %w", addr, err)
	}
	var measuring atomic.Bool
	loadCtx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	for _, c := range clients {
		running.Add(1)
		go func() {
			defer running.Done()
			defer c.hangUp()
			for loadCtx.Err() == nil {
				c.measure(measuring.Load())
			}
		}()
	}
	begin := time.Now()
	wait := func(until time.Duration) {
		for passed := time.Since(begin); passed < until && ctx.Err() == nil; passed = time.Since(begin) {
			tick(passed)
			time.Sleep(min(100*time.Millisecond, until-passed))
		}
	}
	wait(l.Warmup)
	cpu := cpuTime(l.PID)
	start := time.Now()
	measuring.Store(true)
	wait(l.Warmup + l.Duration)
	measuring.Store(false)
	took := time.Since(start)
	cpu = cpuTime(l.PID) - cpu
	stop()
	running.Wait()
	tick(l.Warmup + l.Duration)
	return collect(clients, took, cpu), ctx.Err()
}

// makeKeys asks once for every known key.
func (l load) makeKeys(ctx context.Context, clients []*client) error {
	errs := make([]error, len(clients))
	var running sync.WaitGroup
	for i, c := range clients {
		running.Add(1)
		go func() {
			defer running.Done()
			defer c.hangUp()
			for key := i; key < l.Keys && errs[i] == nil; key += len(clients) {
				if ctx.Err() != nil {
					errs[i] = ctx.Err()
					return
				}
				errs[i] = c.call(key, "known")
			}
		}()
	}
	running.Wait()
	return errors.Join(errs...)
}

// measure makes a call and notes how it went, if counted.
func (c *client) measure(counted bool) {
	key, checksum := c.random.IntN(c.load.Keys), "known"
	if c.random.IntN(100) < c.load.NewPercent {
		// A key of the client's own keeps known values known.
		key, checksum = c.load.Keys+c.number, fmt.Sprintf("%s-%d-%d", c.run, c.number, c.made)
		c.made++
	}
	start := time.Now()
	err := c.call(key, checksum)
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

// call asks for a value, on a connection of its own unless those are kept.
func (c *client) call(key int, checksum string) error {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, callTimeout)
		if err != nil {
			return err
		}
		c.conn = conn
		if c.reader == nil {
			c.reader = bufio.NewReader(conn)
		}
		c.reader.Reset(conn)
	}
	c.conn.SetDeadline(time.Now().Add(callTimeout))
	c.writeRequest(key, checksum)
	if _, err := c.conn.Write(c.request.Bytes()); err != nil {
		c.hangUp()
		return err
	}
	open, err := c.readReply()
	if err != nil || !open {
		c.hangUp()
	}
	return err
}

// writeRequest writes what BitBake's client sends for a getPR.
func (c *client) writeRequest(key int, checksum string) {
	c.body.Reset()
	fmt.Fprintf(&c.body, "<?xml version='1.0'?>\n<methodCall>\n<methodName>getPR</methodName>\n<params>\n"+
		"<param>\n<value><string>bench-package-%d-1.0-r0</string></value>\n</param>\n"+
		"<param>\n<value><string>core2-64</string></value>\n</param>\n"+
		"<param>\n<value><string>%s</string></value>\n</param>\n</params>\n</methodCall>\n", key, checksum)
	c.request.Reset()
	c.request.WriteString("POST /RPC2 HTTP/1.1\r\nHost: " + c.addr + "\r\nAccept-Encoding: gzip\r\n" +
		"Content-Type: text/xml\r\nUser-Agent: Python-xmlrpc/3.8\r\n")
	if c.load.KeepAlive {
		c.request.WriteString("Connection: keep-alive\r\n")
	}
	fmt.Fprintf(&c.request, "Content-Length: %d\r\n\r\n", c.body.Len())
	c.request.Write(c.body.Bytes())
}

// readReply reads a reply that has to carry an integer, and tells whether the
// connection stays open.
func (c *client) readReply() (open bool, err error) {
	status, err := c.reader.ReadSlice('\n')
	if err != nil {
		return false, fmt.Errorf("no answer: %w", err)
	}
	if !bytes.Contains(status, []byte(" 200 ")) {
		return false, fmt.Errorf("status %q", bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return false, fmt.Errorf("half an answer: %w", err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return false, err
			}
		case bytes.EqualFold(name, []byte("connection")):
			open = bytes.EqualFold(value, []byte("keep-alive"))
		}
	}
	c.body.Reset()
	if open && length >= 0 {
		_, err = io.CopyN(&c.body, c.reader, int64(length))
	} else {
		_, err = io.Copy(&c.body, c.reader)
	}
	if err != nil {
		return false, fmt.Errorf("half an answer: %w", err)
	}
	if !bytes.Contains(c.body.Bytes(), []byte("<value><int>")) {
		return open, fmt.Errorf("no value in the answer %q", c.body.Bytes())
	}
	return open, nil
}

func (c *client) hangUp() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func collect(clients []*client, took, cpu time.Duration) *results {
	r := &results{}
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.latencies...)
		r.Errors += c.errors
		if c.first != nil && r.FirstError == "" {
			r.FirstError = c.first.Error()
		}
	}
	slices.Sort(all)
	r.Calls = len(all)
	r.CallsPerSecond = float64(len(all)) / took.Seconds()
	if len(all) > 0 {
		at := func(part float64) float64 {
			return float64(all[min(int(part*float64(len(all))), len(all)-1)].Microseconds())
		}
		r.P50, r.P99, r.P999, r.Max = at(0.5), at(0.99), at(0.999), at(1)
		r.CPUPerCall = float64(cpu.Microseconds()) / float64(len(all))
	}
	return r
}
