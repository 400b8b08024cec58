package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"

	"io"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/history"
	"prserver/tools/internal/scripttest"
)

// historian prints the history in a file, as far as it is the same each time.
func historian() {
	err := history.Read(context.Background(), os.Args[1], history.Filter{}, func(e history.Event) error {
		if e.Client == "" || e.Time.IsZero() {
			fmt.Println("nobody, or no time")
		}
		fmt.Printf("%d %s %s %s %s %s after %q\n", e.Generation, e.Method, e.Version, e.Pkgarch, e.Checksum, e.Value, e.Before)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

// cmdWaitLine waits until a line of a file matches, or one of the metrics of the
// server that the last status was of.
func cmdWaitLine(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "waitline FILE|metrics PATTERN")
	pattern := regexp.MustCompile("(?m)" + args[1])
	scripttest.WaitFor(ts, args[1], func() bool {
		if args[0] != "metrics" {
			text, _ := os.ReadFile(ts.MkAbs(args[0])) // there may be none yet
			return pattern.Match(text)
		}
		resp, err := http.Get("http://" + ts.Getenv("STATUS") + "/metrics")
		ts.Check(err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		ts.Check(err)
		return pattern.Match(text)
	})
}
