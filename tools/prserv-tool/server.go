package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"prserver/compat"
	"prserver/prserv/client"
	"prserver/prserv/place"
)

// How long to wait for a server.
const (
	pingTimeout = 10 * time.Second
	stopTimeout = 30 * time.Second
)

func (p *program) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "get [HOST:PORT] VERSION PKGARCH CHECKSUM",
		GroupID: groupServers,
		Short:   "ask a server for a value, as BitBake does",
		Long: `Asks a PR server for the value of a checksum, as BitBake does (getPR), and
prints it. If the server does not know the checksum, or has given that version
and pkgarch a greater value since, it makes a new value, which stays: to look
only, use list. Without HOST:PORT it asks the server that PRSERV_HOST names.`,
		Example: `  prserv-tool get prhost.example:8585 bash-5.2-r0 core2-64 2f0c18d9
  PRSERV_HOST=prhost.example:8585 prserv-tool get bash-5.2-r0 core2-64 2f0c18d9`,
		SuggestFor: []string{"getpr", "ask", "query"},
		Args:       arguments(3, 4, "which value? Name VERSION, PKGARCH and CHECKSUM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := args[len(args)-3:]
			if _, err := parseServer(key[0]); err == nil && len(args) == 3 {
				// The server of PRSERV_HOST would make a value for it, which stays.
				return fmt.Errorf("which value? Behind %s name VERSION, PKGARCH and CHECKSUM", key[0])
			}
			server, err := serverOf(args[:len(args)-3])
			if err != nil {
				return err
			}
			value, err := client.New(server.Name, client.Timeout).GetPR(cmd.Context(), key[0], key[1], key[2])
			if err != nil {
				return place.ServerError(server, err)
			}
			_, err = fmt.Fprintln(p.stdout, value)
			return err
		},
		ValidArgsFunction: completeServer,
	}
}

func (p *program) pingCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "ping [HOST:PORT]",
		GroupID: groupServers,
		Short:   "ask a server whether it answers",
		Long: `Asks a PR server whether it is there, and prints that it answers. If it does not
within ten seconds, the exit code is 2. Without HOST:PORT it asks the server
that PRSERV_HOST names.`,
		Example: `  prserv-tool ping prhost.example:8585
  until prserv-tool ping 127.0.0.1:8585 2>/dev/null; do sleep 1; done`,
		SuggestFor: []string{"status"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := serverOf(args)
			if err != nil {
				return err
			}
			if err := client.New(server.Name, pingTimeout).Ping(cmd.Context()); err != nil {
				return place.ServerError(server, err)
			}
			_, err = fmt.Fprintf(p.stdout, "%s answers\n", server)
			return err
		},
		ValidArgsFunction: completeServer,
	}
}

func (p *program) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "stop [HOST:PORT]",
		GroupID: groupServers,
		Short:   "ask a server to end, and wait until it has",
		Long: `Asks a PR server to end (quit), and waits until its process is gone, where that
has a pid file on this machine, or else until it no longer answers; at most half
a minute. Without HOST:PORT it is the server that PRSERV_HOST names.

Our server ends at the word of another machine only with --allow-remote-quit.
One for which systemd keeps the port open would come back with the next call:
stop its socket instead.`,
		Example: `  prserv-tool stop 127.0.0.1:8585
  ssh prhost.example prserv-tool stop 127.0.0.1:8585`,
		SuggestFor: []string{"quit", "kill", "shutdown", "end"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := serverOf(args)
			if err != nil {
				return err
			}
			pid := localPID(server)
			if err := stop(cmd.Context(), server, pid, stopTimeout); err != nil {
				return err
			}
			became := "no longer answers"
			if pid != 0 {
				became = "has ended"
			}
			_, err = fmt.Fprintf(p.stdout, "%s %s\n", server, became)
			return err
		},
		ValidArgsFunction: completeServer,
	}
}

// localPID returns the process that serves an address of this machine, as its
// pid file has it, or 0.
func localPID(server place.Place) int {
	host, text, err := net.SplitHostPort(server.Name)
	if err != nil {
		return 0
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	for _, ip := range []string{host, "0.0.0.0"} { // 0.0.0.0 is every address
		pid, err := compat.ReadPid(compat.PidFile(ip, port))
		if err == nil && pid != 0 && compat.IsServer(pid) && !compat.IsServerElsewhere(pid, ip, port) {
			return pid
		}
	}
	return 0
}

// stop asks a server to end and waits until nobody answers at its address, and
// until its process has ended, unless pid is 0.
func stop(ctx context.Context, server place.Place, pid int, timeout time.Duration) error {
	c := client.New(server.Name, timeout)
	if err := c.Quit(ctx); err != nil {
		return place.ServerError(server, err)
	}
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := c.Ping(waiting)
		switch {
		case ctx.Err() != nil:
			return interruptedError("; " + server.String() + " has been asked to end")
		case waiting.Err() != nil:
			return fmt.Errorf("%s has not ended %v after it was asked to; its log may say why", server, timeout)
		case errors.Is(err, client.ErrNoAnswer) && (pid == 0 || !compat.IsRunning(pid)):
			return nil
		}
		select {
		case <-waiting.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
