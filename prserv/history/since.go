package history

import (
	"strconv"
	"strings"
	"time"
)

// ParseSince returns the time that a text names: 2026-11-01, 2026-11-01T08:30:00,
// which are UTC unless a zone follows, or 2w, 7d, 12h, 30m before now. It tells
// whether it is one of those.
func ParseSince(text string, now time.Time) (at time.Time, ok bool) {
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		number, ok := strings.CutSuffix(text, unit)
		if n, err := strconv.Atoi(number); ok && err == nil && n >= 0 {
			return now.AddDate(0, 0, -n*days), true
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), true
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		for _, zone := range []string{"", "Z07:00"} { // as printed, or without the zone
			if at, err := time.Parse(layout+zone, strings.Replace(text, " ", "T", 1)); err == nil {
				return at, true
			}
		}
	}
	return time.Time{}, false
}
