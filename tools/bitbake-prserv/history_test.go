package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"

	"io"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/history"
	"prserver/prserv/store"
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

// checkHistory opens the history of a database file, which no server has open.
// It returns how many events that has, and an error if it is damaged, or has a
// value that the database has not: that is stored first.
func checkHistory(file, version string) (events int, err error) {
	past := history.Beside(file)
	if _, err := os.Stat(past); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	db, err := sql.Open("sqlite3", "file:"+past+"?_busy_timeout=0&_synchronous=OFF")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return 0, fmt.Errorf("integrity_check of the history: %s, %v", verdict, err)
	}
	var isBegun bool
	if err := db.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&isBegun); err != nil || !isBegun {
		return 0, err
	}
	if _, err := db.Exec("ATTACH ? AS stored", file); err != nil {
		return 0, err
	}
	var unknown int
	err = db.QueryRow(`SELECT count(*), ifnull(sum(NOT EXISTS (SELECT * FROM stored.`+store.NohistTable+` AS s WHERE s.version = h.version
		AND s.pkgarch = h.pkgarch AND s.checksum = h.checksum AND s.value >= CAST(h.value AS INTEGER))), 0)
		FROM history AS h WHERE version = ?`, version).Scan(&events, &unknown)
	if err == nil && unknown > 0 {
		err = fmt.Errorf("the history has %d of %d values that the database has not", unknown, events)
	}
	return events, err
}
