package main

import (
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// InheritedListener returns the listening socket that systemd has handed to
// this process, or nil. It is open in systemd as well, so that clients who
// connect while the server restarts wait instead of failing.
func InheritedListener() (net.Listener, error) {
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
		return nil, fmt.Errorf("the socket from systemd is at %s; PR clients need one of TCP", listeners[0].Addr())
	}
	return listeners[0], nil
}

// What [Notify] can say.
const (
	NotifyReady    = daemon.SdNotifyReady
	NotifyStopping = daemon.SdNotifyStopping
)

// Notify tells systemd, if it asked to be told, how this process is doing.
func Notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	return nil
}
