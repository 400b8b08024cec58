package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"prserver/prserv/client"
	"prserver/prserv/place"
)

// pingTimeout is how long ping waits for an answer.
const pingTimeout = 10 * time.Second

func (p *program) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "get [HOST:PORT] VERSION PKGARCH CHECKSUM",
		GroupID: groupServers,
		Short:   "ask a server for a value, as BitBake does",
		Long: `Asks a PR server, ours or the Python program of any BitBake, for the value of a
checksum, as BitBake does (getPR), and prints it. If the server does not know
the checksum, or has given that version and pkgarch a greater value since, it
makes a new value, which stays: to look only, use list. Ours gives a whole
number, as to BitBake up to 2.8. Without HOST:PORT it asks the server that
PRSERV_HOST names.`,
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
			for i, name := range []string{"VERSION", "PKGARCH", "CHECKSUM"} {
				if key[i] == "" { // a variable that is not set; BitBake asks for none such
					return fmt.Errorf("which value? %s is empty", name)
				}
			}
			found, err := client.Find(cmd.Context(), server.Name, client.Timeout)
			if err != nil {
				return place.ServerError(server, err)
			}
			defer found.Close()
			value, err := found.GetPR(cmd.Context(), key[0], key[1], key[2])
			if err != nil {
				return place.ServerError(server, found.Why(err))
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
		Long: `Asks a PR server, ours or the Python program of any BitBake, whether it is
there, and prints that it answers. If it does not within ten seconds, the exit
code is 2. Without HOST:PORT it asks the server that PRSERV_HOST names.`,
		Example: `  prserv-tool ping prhost.example:8585
  until prserv-tool ping 127.0.0.1:8585 2>/dev/null; do sleep 1; done`,
		SuggestFor: []string{"status"},
		Args:       arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := serverOf(args)
			if err != nil {
				return err
			}
			found, err := client.Find(cmd.Context(), server.Name, pingTimeout)
			if err != nil {
				return place.ServerError(server, err)
			}
			defer found.Close()
			if found.Trouble != nil {
				return place.ServerError(server, found.Trouble)
			}
			_, err = fmt.Fprintf(p.stdout, "%s answers\n", server)
			return err
		},
		ValidArgsFunction: completeServer,
	}
}
