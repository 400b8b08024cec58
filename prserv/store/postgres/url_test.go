package postgres_test

import (
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store/postgres"
)

func TestWithoutPassword(t *testing.T) {
	for url, want := range map[string]string{
		"":                               "",
		"a@b:1":                          "a@b:1",
		"postgres://h/db":                "postgres://h/db",
		"postgres://u@h:1,i:2/db?a=b":    "postgres://u@h:1,i:2/db?a=b",
		"postgres://u:secret@h:1/db?a=b": "postgres://u@h:1/db?a=b",
		"postgres://:secret@h":           "postgres://@h",
		"postgres://u:sec@ret@h/db":      "postgres://u@h/db",
		"postgres://u:1/sec?ret#x@h/db":  "postgres://u@h/db",
		"postgres://u:se:cret@h/db":      "postgres://u@h/db",
		"postgresql://h/db?password=secret&sslmode=require&sslpassword=secret": "postgresql://h/db?sslmode=require",
		"postgres://h/db?pass%77ord=secret":                                    "postgres://h/db",
		"postgres://h/db?password=se:cret@x":                                   "postgres://h/db",
		"postgres://h/db?pass%wword=secret":                                    "postgres://h/db",
		"postgress://u:secret@h/db":                                            "postgress://u@h/db",
	} {
		if got := postgres.WithoutPassword(url); got != want {
			t.Errorf("WithoutPassword(%q): %q, want %q", url, got, want)
		}
	}
}

// TestURLErrors has URLs that cannot be read. No error has a part of the password.
func TestURLErrors(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:sec/ret@h/db":                        "not written as a URL; in a user or password write %40",
		"postgres://u:sec%zzret@h/db":                      "not written as a URL",
		"postgres://u:secret@h:99999/db":                   "invalid port",
		"postgres://u:secret@h/db?sslmode=x":               "sslmode is invalid",
		"postgres://h/db?password=secret&sslmode=x":        "sslmode is invalid",
		"postgres://h/db?sslpassword=secret&sslrootcert=/": "",
	} {
		for about, open := range map[string]func() error{
			"a server": func() error { _, err := postgres.Open(t.Context(), url, false); return err },
			"to read":  func() error { _, err := postgres.OpenSnapshot(t.Context(), url); return err },
			"to write": func() error { _, err := postgres.Merge{}.Into(t.Context(), url); return err },
		} {
			err := open()
			prservtest.WantOneLine(t, about+": "+url, err, want)
			if err != nil && (contains(err, "sec") || contains(err, "ret")) {
				t.Errorf("%s: %s: %v", about, url, err)
			}
		}
	}
}
