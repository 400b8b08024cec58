package main

import (
	"fmt"

	"prserver/compat"
	"prserver/prserv/store/postgres"
)

// valueError says that an option has a value that is wrong whatever the machine
// is like. The exit code is 2 then.
type valueError struct{ error }

func wrongValue(format string, args ...any) error { return &valueError{fmt.Errorf(format, args...)} }

// checkValues returns an error where an option has a value that no server takes, before
// anything is made. It is a [*valueError] for our own options; the original ends with
// 1 for its --loglevel and --port.
func checkValues(opts compat.Options) error {
	if _, err := logLevel(opts); err != nil {
		return err
	}
	if _, err := rulesOf(opts); err != nil {
		return err
	}
	if _, err := upstreamOf(opts); err != nil {
		return err
	}
	if opts.Status != "" {
		if _, _, err := statusAddress(opts.Status); err != nil {
			return err
		}
	}
	if opts.Database != "" {
		if err := postgres.CheckURL(opts.Database); err != nil {
			return wrongValue("--database: %w", err) // which may have a password
		}
	}
	return nil
}

// refuseURLs returns an error where an option that takes a file has the URL of a
// database: the server would make folders of that name, and begin at 0.
func refuseURLs(opts compat.Options) error {
	for _, path := range []struct{ option, value string }{
		{"--file", opts.File}, {"--log", opts.Log}, {"--pidfile", opts.PidFile}, {"--history", opts.History},
	} {
		unused := path.option == "--file" && opts.Database != ""
		if !unused && postgres.IsURL(path.value) {
			return wrongValue("%s takes a file, and %s is a PostgreSQL database; give that to --database", path.option, postgres.WithoutPassword(path.value))
		}
	}
	return nil
}
