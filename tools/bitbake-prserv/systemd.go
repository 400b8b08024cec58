package main

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// inheritedListener returns the listening socket that systemd has handed to
// this process, or nil if there is none. It returns an error if there are
// several sockets, or one that is not TCP.
//
// systemd keeps the socket open too, so that clients who connect while the
// server restarts wait instead of failing.
func inheritedListener() (net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking over the socket from systemd: %w", err)
	}
	switch {
	case len(listeners) == 0:
		return nil, nil
	case len(listeners) > 1 || listeners[0] == nil:
		return nil, fmt.Errorf("systemd handed over %d sockets; the unit must have one ListenStream=", len(listeners))
	}
	if _, ok := listeners[0].Addr().(*net.TCPAddr); !ok {
		return nil, fmt.Errorf("the socket from systemd is at %s; PR clients need a TCP socket", listeners[0].Addr())
	}
	return listeners[0], nil
}

// notify tells systemd, if it asked to be told, the state of the server:
// SdNotifyReady or SdNotifyStopping. A failure is only logged: the server works
// without systemd knowing.
func notify(log *slog.Logger, state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		log.Warn(fmt.Sprintf("telling systemd %s: %v", state, err))
	}
}
