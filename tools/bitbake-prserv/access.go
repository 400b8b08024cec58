package main

import (
	"log/slog"

	"prserver/compat"
	"prserver/prserv/access"
)

// rules are who may do what at the listeners of a server.
type rules struct {
	pr     access.Rules
	status access.List
}

// rulesOf reads the lists of the options.
func rulesOf(opts compat.Options) (r rules, err error) {
	for _, of := range []struct {
		option string
		values []string
		list   *access.List
	}{
		{"--allow", opts.Allow, &r.pr.Allow},
		{"--read-only-from", opts.ReadOnlyFrom, &r.pr.ReadOnlyFrom},
		{"--allow-import", opts.AllowImport, &r.pr.AllowImport},
		{"--status-allow", opts.StatusAllow, &r.status},
	} {
		if *of.list, err = access.Parse(of.option, of.values); err != nil {
			return r, &valueError{err}
		}
	}
	return r, nil
}

// logLevel returns the level of the log. The error is also returned for a format
// that there is not.
func logLevel(opts compat.Options) (slog.Level, error) {
	if err := opts.LogFormat.Check(); err != nil {
		return 0, &valueError{err}
	}
	return compat.ParseLevel(opts.LogLevel)
}
