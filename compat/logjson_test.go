package compat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"prserver/compat"
)

// line returns the line of a record.
func line(t *testing.T, format compat.LogFormat, r slog.Record) string {
	t.Helper()
	var out strings.Builder
	if err := compat.NewLogHandler(&out, format, slog.LevelDebug, true).Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJSONLines(t *testing.T) {
	r := record("can not find value for", "", "(a\n, \"b\")", "client", "192.0.2.7", "microseconds", 12, "ready", true,
		"error", errors.New(`no\`), "control", "\x1b\u009b\u202e\U000e0001\xff", "every", time.Minute)
	want := `{"time":"2026-11-28T18:36:14.021+01:00","level":"ERROR","message":"can not find value for (a\n, \"b\")",` +
		`"client":"192.0.2.7","microseconds":12,"ready":true,"error":"no\\","control":"\u001b\u009b\u202e\udb40\udc01` + "\ufffd" + `","every":"1m0s"}` + "\n"
	if got := line(t, compat.LogJSON, r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for level, want := range map[slog.Level]string{-4: "DEBUG", 0: "INFO", 4: "WARNING", 8: "ERROR", 12: "CRITICAL"} {
		got := line(t, compat.LogJSON, slog.NewRecord(time.Time{}, level, "m", 0))
		if !strings.Contains(got, `"level":"`+want+`"`) {
			t.Errorf("level %v: %s", level, got)
		}
	}
	var out strings.Builder
	slog.New(compat.NewLogHandler(&out, compat.LogJSON, slog.LevelInfo, false)).With("a", "b").WithGroup("g").With("c", 1).Warn("m", "d", 2)
	if !strings.HasSuffix(out.String(), `"message":"m","a":"b","c":1,"d":2}`+"\n") {
		t.Errorf("with attributes: %s", out.String())
	}
	for _, format := range []compat.LogFormat{compat.LogText, compat.LogJSON, "", "JSON", "x\n"} {
		err := format.Check()
		if (err == nil) != (format == compat.LogText || format == compat.LogJSON) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", format, err)
		}
	}
}

// FuzzLog writes whatever a client may have sent, in both formats: it is one line
// of printable characters, and in JSON one object that has the texts.
func FuzzLog(f *testing.F) {
	for _, text := range []string{"", "gtk+3-3.24.34-r0", "x\nNOTE: Started\r\n", "\x00\x1b[2J\x7f\u009b\u0085", "\u202e\u2066\u2028\ufeff\u00a0",
		"\xff\xc3(", `"\}`, strings.Repeat("\U0001f600\U000e0001", 300), "\ufffd", strings.Repeat("x", 3000)} {
		f.Add(text, "message", "1")
		f.Add("message", text, text)
	}
	f.Fuzz(func(t *testing.T, message, version, bare string) {
		r := record(message, "version", version, "", bare, "error", fmt.Errorf("of %s", version), "microseconds", 12)
		for _, format := range []compat.LogFormat{compat.LogText, compat.LogJSON} {
			got := line(t, format, r)
			inner, ok := strings.CutSuffix(got, "\n")
			if !ok || !utf8.ValidString(inner) || strings.ContainsFunc(inner, func(r rune) bool { return !strconv.IsPrint(r) }) {
				t.Fatalf("%s: %q is no line of printable characters", format, got)
			}
			if len(got) > 6<<10 {
				t.Fatalf("%s: a line of %d bytes", format, len(got))
			}
			if format == compat.LogText {
				continue
			}
			var object struct {
				Time                           time.Time
				Level, Message, Version, Error string
				Microseconds                   int
			}
			decoder := json.NewDecoder(strings.NewReader(inner))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&object); err != nil || decoder.More() {
				t.Fatalf("%q: %v", inner, err)
			}
			if object.Level != "ERROR" || object.Microseconds != 12 || object.Time.IsZero() {
				t.Fatalf("%q means %+v", inner, object)
			}
			if sent := strings.ToValidUTF8(version, "\ufffd"); len(version) < 100 && utf8.ValidString(version) && object.Version != sent {
				t.Fatalf("version %q became %q", version, object.Version)
			}
		}
	})
}
