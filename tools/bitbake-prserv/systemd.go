package main

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// statusSocket is what FileDescriptorName= calls the socket of the status.
const statusSocket = "status"

// inheritedListeners returns the listening sockets that systemd has handed to
// this process, nil for one that there is not. It returns an error if there are
// several for the same purpose, or one that is not TCP.
//
// systemd keeps the socket open too, so that clients who connect while the
// server restarts wait instead of failing.
func inheritedListeners() (l listeners, err error) {
	for _, f := range activation.Files(true) {
		ln, err := net.FileListener(f)
		name := f.Name()
		f.Close()
		if err != nil {
			return l, fmt.Errorf("taking over the socket %s from systemd: %w", name, reason(err))
		}
		if _, ok := ln.Addr().(*net.TCPAddr); !ok {
			return l, fmt.Errorf("the socket %s from systemd is at %s; it has to be one of TCP, such as ListenStream=8585", name, ln.Addr())
		}
		to := &l.pr
		if name == statusSocket {
			to = &l.status
		}
		if *to != nil {
			return l, fmt.Errorf("systemd handed over several sockets of the name %s; the unit must have one ListenStream=", name)
		}
		*to = ln
	}
	return l, nil
}

// notify tells systemd, if it asked to be told, the state of the server:
// SdNotifyReady or SdNotifyStopping. A failure is only logged: the server works
// without systemd knowing.
func notify(log *slog.Logger, state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		log.Warn(fmt.Sprintf("telling systemd %s: %v", state, err))
	}
}
