package history_test

import (
	"testing"
	"time"

	"prserver/prserv/history"
)

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.Local)
	for _, test := range []struct {
		text string
		want time.Time
	}{
		{"2d", now.AddDate(0, 0, -2)},
		{"2w", now.AddDate(0, 0, -14)},
		{"90m", now.Add(-90 * time.Minute)},
		{"2026-11-01", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		{"2026-11-01T08:30", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01 08:30:00", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01 08:30:00Z", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01T08:30:00.250Z", time.Date(2026, 11, 1, 8, 30, 0, 250e6, time.UTC)},
		{"2026-11-01T08:30:00+01:00", time.Date(2026, 11, 1, 7, 30, 0, 0, time.UTC)},
		{"2026-11-01T08:30:00Z", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
	} {
		if got, ok := history.ParseSince(test.text, now); !ok || !got.Equal(test.want) {
			t.Errorf("%s: %v, %v; want %v", test.text, got, ok, test.want)
		}
	}
	for _, text := range []string{"-1d", "-1w", "-5m", "d", "x", "2026", ""} {
		if got, ok := history.ParseSince(text, now); ok {
			t.Errorf("%s: %v, want none", text, got)
		}
	}
}
