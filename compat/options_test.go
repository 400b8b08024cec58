package compat_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"prserver/compat"
)

// environment returns a getenv for "NAME=value" settings.
func environment(settings ...string) func(string) string {
	return func(name string) string {
		for _, s := range settings {
			if n, value, _ := strings.Cut(s, "="); n == name {
				return value
			}
		}
		return ""
	}
}

func TestOptionsFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		name string
		args string
		env  []string
		got  func(compat.Options) any
		want any
	}{
		{"file", "--start", []string{"PRSERV_FILE=/a"}, func(o compat.Options) any { return o.File }, "/a"},
		{"a flag wins", "--start --file /b", []string{"PRSERV_FILE=/a"}, func(o compat.Options) any { return o.File }, "/b"},
		{"log counts as given", "--foreground", []string{"PRSERV_LOG=/l"}, func(o compat.Options) any { return o.Given["--log"] }, true},
		{"port", "--start", []string{"PRSERV_PORT=0x10"}, func(o compat.Options) any { return o.Port }, 16},
		{"host", "--start", []string{"PRSERV_BIND=127.0.0.1"}, func(o compat.Options) any { return o.Host }, "127.0.0.1"},
		{"not BitBake's variable", "--start", []string{"PRSERV_HOST=elsewhere:8585"}, func(o compat.Options) any { return o.Host }, "0.0.0.0"},
		{"yes", "--start", []string{"PRSERV_READ_ONLY=1"}, func(o compat.Options) any { return o.ReadOnly }, true},
		{"no", "--start", []string{"PRSERV_READ_ONLY=no"}, func(o compat.Options) any { return o.ReadOnly }, false},
		{"foreground", "", []string{"PRSERV_FOREGROUND=1"}, func(o compat.Options) any { return o.Foreground }, true},
		{"container", "--foreground", []string{"DBFILE=/d"}, func(o compat.Options) any { return o.File }, "/d"},
		{"container, by variable", "", []string{"PRSERV_FOREGROUND=1", "PORT=1"}, func(o compat.Options) any { return o.Port }, 1},
		{"container mode", "--foreground", []string{"DBMODE=--read-only"}, func(o compat.Options) any { return o.ReadOnly }, true},
		{"no container", "--start", []string{"DBFILE=/d", "PORT=1", "HOST=h"}, func(o compat.Options) any { return o.File }, "prserv.sqlite3"},
		{"a list", "--start", []string{"PRSERV_ALLOW=10.0.0.0/8,192.0.2.1"}, func(o compat.Options) any { return strings.Join(o.Allow, ";") }, "10.0.0.0/8,192.0.2.1"},
		{"a list that is repeated", "--allow a,b --allow=c --allow-import d", []string{"PRSERV_ALLOW=z"}, func(o compat.Options) any { return strings.Join(o.Allow, ";") }, "a,b;c"},
		{"an empty list", "--allow=", []string{"PRSERV_ALLOW=z"}, func(o compat.Options) any { return len(o.Allow) }, 1},
		{"format", "--start", []string{"PRSERV_LOG_FORMAT=json"}, func(o compat.Options) any { return o.LogFormat }, compat.LogJSON},
		{"ours before the container's", "--foreground", []string{"PRSERV_FILE=/a", "DBFILE=/d"}, func(o compat.Options) any { return o.File }, "/a"},
		{"a database in a container", "--foreground", []string{"PRSERV_DATABASE=postgres://d", "DBFILE=/d"}, func(o compat.Options) any { return o.Database }, "postgres://d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := compat.ParseOptions(strings.Fields(test.args), environment(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if got := test.got(o); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestBadEnvironment(t *testing.T) {
	for _, setting := range []string{"PRSERV_PORT=x", "PRSERV_READ_ONLY=perhaps"} {
		_, err := compat.ParseOptions([]string{"--start"}, environment(setting))
		var usage *compat.UsageError
		name, _, _ := strings.Cut(setting, "=")
		if !errors.As(err, &usage) || !strings.Contains(usage.Text, name) {
			t.Errorf("%s: error %v, want a usage error that names the variable", setting, err)
		}
	}
}

// TestDaemonArgs checks that a daemon gets the options of the user.
func TestDaemonArgs(t *testing.T) {
	args := strings.Fields("--start -f /f -l /l --loglevel debug --host h --port 7 --pidfile /p --status 8586 --history /y --log-format json --allow a --allow b,c --read-only-from d --allow-import e --status-allow f -r --allow-remote-quit")
	want, err := compat.ParseOptions(args, environment())
	if err != nil {
		t.Fatal(err)
	}
	got, err := compat.ParseOptions(want.DaemonArgs(), environment())
	if err != nil {
		t.Fatal(err)
	}
	got.Given, want.Given = nil, nil
	if !got.Start || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
