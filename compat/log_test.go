package compat_test

import (
	"log/slog"
	"strings"
	"testing"

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
		log := slog.New(compat.NewLogHandler(&out, level))
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
