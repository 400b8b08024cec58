// Package access says what clients may do, by the address that they come from:
// BitBake sends no name and no password.
//
// Start with [Parse] and [Rules].
package access

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// List is a list of networks.
type List []netip.Prefix

// Parse reads the values of an option: addresses such as 192.0.2.7, and networks
// such as 192.0.2.0/24 or 2001:db8::/32, with commas between them. No values are
// an empty list. The error is returned for a value that has none, or something
// else.
func Parse(option string, values []string) (List, error) {
	var list List
	for _, value := range values {
		before := len(list)
		for text := range strings.SplitSeq(value, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			network, ok := parse(text)
			if !ok {
				return nil, fmt.Errorf("%s: %q is no address and no network; give such as 192.0.2.7 or 192.0.2.0/24, and no names", option, text)
			}
			if first := network.Masked(); first != network {
				return nil, fmt.Errorf("%s: %q is an address in a network; give %v for the address, or %v for the network", option, text, network.Addr(), first)
			}
			list = append(list, network)
		}
		if len(list) == before {
			return nil, fmt.Errorf("%s is empty; give addresses or networks such as 192.0.2.0/24, or leave it out", option)
		}
	}
	return list, nil
}

// parse reads an address, which is a network of one, or a network.
func parse(text string) (network netip.Prefix, ok bool) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return network, false
		}
		network = netip.PrefixFrom(addr, addr.BitLen())
	}
	if network.Addr().Is4In6() { // clients are compared as IPv4
		const mapped = 96
		if network.Bits() < mapped {
			return network, false
		}
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mapped)
	}
	return network, true
}

// Has tells whether an address is in one of the networks.
func (l List) Has(addr netip.Addr) bool {
	for _, network := range l {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Of returns the address of a peer, without its port, as lists know it; the zero
// Addr, which is in no list, where it is none of TCP.
func Of(peer net.Addr) netip.Addr {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// Rules say who may do what. The zero Rules allow everything.
type Rules struct {
	Allow        List // who is served; everybody if it is empty
	ReadOnlyFrom List // who is served as by a read-only server
	AllowImport  List // who may import values; everybody if it is empty
}

// Rights are what the rules take away from a client.
type Rights struct {
	Refused  bool // it is not served
	ReadOnly bool // it is served as by a read-only server
	NoImport bool // it may not import values
}

// For returns the rights of a client.
func (r *Rules) For(addr netip.Addr) Rights {
	return Rights{
		Refused:  len(r.Allow) > 0 && !r.Allow.Has(addr),
		ReadOnly: r.ReadOnlyFrom.Has(addr),
		NoImport: len(r.AllowImport) > 0 && !r.AllowImport.Has(addr),
	}
}

// The reasons for which something is refused, called by their options.
const (
	ByAllow        = "allow"
	ByReadOnlyFrom = "read-only-from"
	ByAllowImport  = "allow-import"
	ByStatusAllow  = "status-allow"
)

// Reasons returns all reasons.
func Reasons() []string { return []string{ByAllow, ByReadOnlyFrom, ByAllowImport, ByStatusAllow} }
