package compat_test

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"prserver/compat"
)

func TestLogLines(t *testing.T) {
	for _, test := range []struct{ level, want string }{
		{"debug", "DEBUG: d\nNOTE: n a=1\nWARNING: w\nERROR: e\nCRITICAL: c\n"},
		{"INFO", "NOTE: n a=1\nWARNING: w\nERROR: e\nCRITICAL: c\n"},
		{"WARNING", "WARNING: w\nERROR: e\nCRITICAL: c\n"},
		{"Error", "ERROR: e\nCRITICAL: c\n"},
		{"CRITICAL", "CRITICAL: c\n"},
	} {
		level, err := compat.ParseLevel(test.level)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		log := slog.New(compat.NewLogHandler(&out, compat.LogText, level, false))
		log.Debug("d")
		log.Info("n", "a", 1)
		log.Warn("w")
		log.Error("e")
		log.Log(t.Context(), slog.LevelError+4, "c")
		if out.String() != test.want {
			t.Errorf("at %s: got %q, want %q", test.level, out.String(), test.want)
		}
	}
	if _, err := compat.ParseLevel("loud"); err == nil {
		t.Error("a level that does not exist was taken")
	}
}

func record(message string, args ...any) slog.Record {
	at := time.Date(2026, 11, 28, 18, 36, 14, 21_900_000, time.FixedZone("", 3600))
	r := slog.NewRecord(at, slog.LevelError, message, 0)
	r.Add(args...)
	return r
}

// TestLogTimes has the time as the reference writes it, with the zone.
func TestLogTimes(t *testing.T) {
	var out strings.Builder
	if err := compat.NewLogHandler(&out, compat.LogText, slog.LevelInfo, true).Handle(t.Context(), record("full")); err != nil {
		t.Fatal(err)
	}
	if want := "2026-11-28 18:36:14,021 +0100 ERROR: full\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestLogEscapes keeps whatever comes from a client within its line.
func TestLogEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"gtk+3-3.24.34-r0": "gtk+3-3.24.34-r0", `C:\a`: `C:\a`, "Grüße 漢字": "Grüße 漢字",
		"x\nNOTE: Started": `x\nNOTE: Started`, "\rover": `\rover`, "\tt": `\tt`, "\x00\x1b[2J\x7f": `\x00\x1b[2J\x7f`,
		"\u009b2J\u0085": `\u009b2J\u0085`, "\u202ered\u2066\u200b\ufeff\u00ad": `\u202ered\u2066\u200b\ufeff\u00ad`,
		"\u2028\u2029\u00a0": `\u2028\u2029\u00a0`, "\xff\xc3": `\xff\xc3`, "\ufffd": "\ufffd",
		strings.Repeat("x", 60000):      strings.Repeat("x", 1024) + "...[58976 bytes more]",
		strings.Repeat("\u202e", 1000):  strings.Repeat(`\u202e`, 170) + "...[2490 bytes more]",
		"a" + strings.Repeat("é", 1000): "a" + strings.Repeat("é", 511) + "...[978 bytes more]",
	} {
		for _, test := range []struct {
			record       slog.Record
			before, tail string
		}{
			{record(text), "ERROR: ", ""},
			{record("no value", "", text), "ERROR: no value ", ""},
			{record("no value", "", text, "a", 1, "b", "c"), "ERROR: no value ", " a=1 b=c"},
		} {
			var out strings.Builder
			if err := compat.NewLogHandler(&out, compat.LogText, slog.LevelInfo, false).Handle(t.Context(), test.record); err != nil {
				t.Fatal(err)
			}
			if want := test.before + want + test.tail + "\n"; out.String() != want {
				t.Errorf("got %q, want %q", out.String(), want)
			}
		}
	}
}

// TestLogAttributes quotes values that would be taken for something else.
func TestLogAttributes(t *testing.T) {
	var out strings.Builder
	log := slog.New(compat.NewLogHandler(&out, compat.LogText, slog.LevelInfo, false)).With("file", "/a b")
	log.Error("e", "empty", "", "is", "a=b", "says", `"x\y"`, "line", "1\n2", "error", errors.New("no"), "client", "127.0.0.1:5")
	want := `ERROR: e file="/a b" empty="" is="a=b" says="\"x\\y\"" line="1\n2" error=no client=127.0.0.1:5` + "\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	log.Error("panic", "stack", strings.Repeat("a\n", 20000))
	if n := out.Len(); n < 16<<10 || n > 17<<10 || !regexp.MustCompile(`\[\d+ bytes more\]"\n$`).MatchString(out.String()) {
		t.Errorf("a stack has %d bytes", n)
	}
}
