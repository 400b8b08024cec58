package pgtest

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a server and PostgreSQL, as a network does that fails.
type Proxy struct {
	Addr string

	mu       sync.Mutex
	upstream string            // guarded by mu, as all below
	conns    map[net.Conn]bool // true: to PostgreSQL
	delay    time.Duration     // of everything that passes
	losses   int               // every so manieth answer is lost; 0 is none
	answers  int
	lost     int
	hangs    chan struct{} // not nil: nothing passes until it is closed
	change   func(answer []byte)
}

// NewProxy starts a proxy before the PostgreSQL at an address, until the test ends.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: ln.Addr().String(), upstream: upstream, conns: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Add(1)
			go func() {
				defer running.Done()
				p.serve(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		p.Resume()
		p.Cut()
		running.Wait()
	})
	return p
}

// URL replaces the address of PostgreSQL in a URL by that of the proxy.
func (p *Proxy) URL(url string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Replace(url, p.upstream, p.Addr, 1)
}

// Redirect puts the proxy before another PostgreSQL. Connections stay as they are.
func (p *Proxy) Redirect(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

// Delay delays everything that passes.
func (p *Proxy) Delay(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// HalfClose sends nothing more to PostgreSQL, which is told so, and goes on to pass
// its answers.
func (p *Proxy) HalfClose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, toServer := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok && toServer {
			tcp.CloseWrite()
		}
	}
}

// LoseAnswers loses every nth answer of PostgreSQL, and the connection with it;
// with 0 none.
func (p *Proxy) LoseAnswers(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losses = n
}

// Lost returns how many answers have been lost.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Hang lets nothing pass any more, without closing a connection.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hangs == nil {
		p.hangs = make(chan struct{})
	}
}

// Resume lets everything pass again.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hangs != nil {
		close(p.hangs)
		p.hangs = nil
	}
}

// Cut closes all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Change lets a function change the answers of PostgreSQL.
func (p *Proxy) Change(change func(answer []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change = change
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	upstream := p.upstream
	p.mu.Unlock()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = false, true
	p.mu.Unlock()
	closeBoth := func() { client.Close(); server.Close() }
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		defer closeBoth()
		p.pass(server, client, func([]byte) error { return nil })
	}()
	go func() {
		defer both.Done()
		defer closeBoth()
		p.pass(client, server, p.answer)
	}()
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

// pass passes on what comes from one side to the other, until look says no.
func (p *Proxy) pass(to, from net.Conn, look func(data []byte) error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		hangs, delay := p.hangs, p.delay
		p.mu.Unlock()
		time.Sleep(delay)
		if hangs != nil {
			<-hangs
		}
		if look(buffer[:n]) != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// answer looks at an answer. With an error it is lost.
func (p *Proxy) answer(data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.change != nil {
		p.change(data)
	}
	p.answers++
	if p.losses > 0 && p.answers%p.losses == 0 {
		p.lost++
		return fmt.Errorf("answer %d is lost", p.answers)
	}
	return nil
}
