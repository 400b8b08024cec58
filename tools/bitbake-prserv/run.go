package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"

	"prserver/compat"
)

// run is the program. It returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	inDaemon := compat.InDaemon()
	opts, err := compat.ParseOptions(args[1:])
	var usage *compat.UsageError
	if errors.As(err, &usage) {
		fmt.Fprint(stderr, compat.ErrorText(usage))
		return 2
	}
	switch {
	case inDaemon:
		err = serveAsDaemon(ctx, opts, stderr)
	case opts.Version:
		fmt.Fprint(stdout, compat.VersionText())
	case opts.Start:
		err = start(ctx, opts, stdout)
	case opts.Stop:
		err = stop(ctx, opts, stdout)
	case opts.Foreground:
		err = serveInForeground(ctx, opts, stderr)
	default:
		fmt.Fprint(stdout, compat.HelpText())
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// resolve returns the IPv4 address of a host, as the reference's
// gethostbyname does.
func resolve(ctx context.Context, host string) (string, error) {
	if host == "" {
		return "0.0.0.0", nil
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", host)
	if err != nil {
		return "", fmt.Errorf("resolving the host %q: %w", host, err)
	}
	return ips[0].String(), nil
}

// listen binds the address of the options.
func listen(ctx context.Context, opts compat.Options) (*net.TCPListener, error) {
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return nil, err
	}
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(ip), Port: opts.Port})
	if err != nil {
		return nil, fmt.Errorf("PR Server unable to bind to %s:%d: %w", ip, opts.Port, reason(err))
	}
	return ln, nil
}

// reason returns what the system says of a failure, without the circumstances
// that the message around it names already.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err
}

// absolute makes the paths of the options independent of the current folder.
func absolute(opts compat.Options) (compat.Options, error) {
	for _, path := range []*string{&opts.File, &opts.Log} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return opts, fmt.Errorf("finding the path of %s: %w", *path, err)
		}
		*path = abs
	}
	return opts, nil
}
