package main

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
)

// upstreamOf returns the upstream server that the options name, or nil.
func upstreamOf(opts compat.Options) (prserv.Upstream, error) {
	if opts.Upstream == "" {
		return nil, nil
	}
	if _, port, err := net.SplitHostPort(opts.Upstream); err != nil || port == "" {
		return nil, wrongValue("--upstream %s names no server; give it as HOST:PORT", opts.Upstream)
	}
	return client.NewUpstream(opts.Upstream), nil
}

// lookupTimeout is how long the start waits for the addresses of the upstream server.
const lookupTimeout = 2 * time.Second

// namesItself tells whether HOST:PORT leads to a listener of this machine, whichever
// of the host's addresses is taken. Where that is not certain, it does not.
func namesItself(ctx context.Context, upstream string, own netip.AddrPort) bool {
	host, port, err := net.SplitHostPort(upstream)
	if err != nil || port != strconv.Itoa(int(own.Port())) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	for _, ip := range ips {
		ip = ip.Unmap()
		if ip.IsUnspecified() { // to connect there is to connect to this machine
			ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		if at := own.Addr().Unmap(); at != ip && !(at.IsUnspecified() && isOurs(ip)) {
			return false
		}
	}
	return err == nil && len(ips) > 0
}
