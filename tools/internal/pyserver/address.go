package pyserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Address is an IPv4 address and a port.
type Address struct {
	Host string
	Port int
}

func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// FreeAddress returns an address at which nobody listens, one of loopback's
// many, so that nobody else comes upon it. Its port is free at all addresses,
// and none of those that the system gives to connections, of which a load makes
// many.
func FreeAddress() (Address, error) {
	const first, last = 20000, 32000
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	for range 100 {
		port := first + rand.IntN(last-first)
		if ln, err := net.Listen("tcp4", fmt.Sprintf(":%d", port)); err == nil {
			return Address{host, port}, ln.Close()
		}
	}
	return Address{}, fmt.Errorf("no free port from %d to %d", first, last)
}
