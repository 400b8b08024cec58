package compat

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// TestListeners finds a socket in the table of the machine.
func TestListeners(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		ln, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		all, err := Listeners()
		if err != nil || !slices.ContainsFunc(all, func(l Listener) bool { return l.Address.String() == ln.Addr().String() }) {
			t.Errorf("%s is not in %v, %v", ln.Addr(), all, err)
		}
	}
}

// TestListenersStandFirst wants a server's old connections left unread.
func TestListenersStandFirst(t *testing.T) {
	const (
		titles = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		socket = "   0: 0100007F:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 0000000000000000 100 0 0 10 0\n"
	)
	line := func(port int, state string, inode int) string { return fmt.Sprintf(socket, port, state, inode) }
	table := strings.NewReader(titles + line(8585, "0A", 11) + line(8585, "03", 0) + line(8586, "0A", 12) +
		strings.Repeat(line(8585, "06", 0), 10_000) + line(8587, "0A", 13))
	all, err := parseListeners(table)
	if err != nil || fmt.Sprint(all) != "[{127.0.0.1:8585 11} {127.0.0.1:8586 12}]" {
		t.Errorf("got %v, %v", all, err)
	}
	if table.Len() == 0 {
		t.Error("all connections were read")
	}
}
