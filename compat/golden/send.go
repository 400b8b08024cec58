package golden

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// Send holds one exchange: it connects to addr, sends the request, and returns everything received until the server
// closes. It gives up when ctx ends.
func Send(ctx context.Context, addr string, exchange Exchange) ([]byte, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	// Sending and reading go side by side: a server may reply, or close, before it has read the whole request, and
	// then neither side may wait for the other.
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		sendRequest(conn, exchange)
	}()
	reply, err := io.ReadAll(conn)
	conn.Close()
	<-sent
	// A server that closes with something unread resets the connection. What it sent before has arrived.
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return nil, fmt.Errorf("reading the reply after %d bytes: %w", len(reply), err)
	}
	return reply, nil
}

// sendRequest ignores errors: if the server does not take the whole request, its reply is what counts.
func sendRequest(conn net.Conn, exchange Exchange) {
	if _, err := conn.Write(exchange.Request); err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && exchange.HalfClose {
		tcp.CloseWrite()
	}
}
