package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"prserver/compat"
)

// resolve returns the IPv4 address of a host, as the reference's gethostbyname
// does. It returns an error if the host has none.
func resolve(ctx context.Context, host string) (string, error) {
	if ip, ok := compat.ParseIPv4(host); ok {
		return ip.String(), nil
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return "", fmt.Errorf("the host %q is an IPv6 address, and PR clients are served by IPv4; give an IPv4 address, or 0.0.0.0 for all of them", host)
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", host)
	if err != nil {
		return "", fmt.Errorf("the host %q has no IPv4 address: %w; give an IPv4 address, or 0.0.0.0 for all of them", host, err)
	}
	return ips[0].String(), nil
}

// listen binds an address and listens there.
func listen(ip string, port int) (*net.TCPListener, error) {
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("PR Server unable to bind to %s:%d: a port is a number from 0 to 65535", ip, port)
	}
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(ip), Port: port})
	if err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = "; stop what listens there, or choose another --port"
		}
		return nil, fmt.Errorf("PR Server unable to bind to %s:%d: %w%s", ip, port, reason(err), hint)
	}
	return ln, nil
}

// reason returns the system's own error inside err, without the address and the
// call that net wraps around it.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}

// absolute returns the options with absolute paths: a daemon works in another
// folder. The error is a [*valueError] for the URL of a database.
func absolute(opts compat.Options) (compat.Options, error) {
	if err := refuseURLs(opts); err != nil {
		return opts, err
	}
	for _, path := range []*string{&opts.File, &opts.Log, &opts.PidFile, &opts.History} {
		if *path == "" || path == &opts.History && *path == compat.NoHistory {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return opts, fmt.Errorf("finding the path of %s: %w", *path, err)
		}
		*path = abs
	}
	return opts, nil
}
