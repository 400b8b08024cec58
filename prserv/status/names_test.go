package status

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOrder(t *testing.T) {
	sorted := []string{"a-1.2", "a-1.9", "a-1.10", "a-1.10-r2", "a-1.10-r10", "b"}
	if got := slices.Clone(sorted); true {
		slices.Reverse(got)
		if slices.SortFunc(got, compareNaturally); !slices.Equal(got, sorted) {
			t.Errorf("sorted: %q", got)
		}
	}
	for prefix, want := range map[string]string{"": "\xff\xff\xff\xff", "a": "b", "a\xff": "b"} {
		if got := after(prefix); got != want {
			t.Errorf("after(%q) = %q", prefix, got)
		}
	}
}

func TestTexts(t *testing.T) {
	for got, want := range map[string]string{
		size(0): "0 bytes", size(1): "1 byte", size(1536): "1.5 KiB", size(1<<20 - 1): "1.0 MiB", size(5 << 40): "5.0 TiB",
		lasting(59 * time.Second): "less than a minute", lasting(61 * time.Minute): "1 h 1 min",
		lasting(25 * time.Hour): "1 day 1 h", lasting(1000 * 24 * time.Hour): "1,000 days 0 h",
		grouped(-1234567): "-1,234,567", grouped(-123): "-123", grouped(999): "999",
		show("a\nb\xff\u202e" + strings.Repeat("x", 300)): `a\nb\xff\u202e` + strings.Repeat("x", 293) + "… (7 more bytes)",
		shortest("0123456789abcdef"):                      "0123456789abcdef", shortest("0123456789abcdef0"): "0123456789ab…",
		packageURL(strings.Repeat("x", 8193)): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestRates lets more than an hour pass, and then two in which nobody counts.
func TestRates(t *testing.T) {
	begun := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	r := rates{begun: begun, minutes: ring[minute]{size: keptMinutes}}
	at := begun
	for i := range uint64(100) {
		at = at.Add(time.Minute)
		r.tick(at, totals{calls: (i + 1) * 10, values: i})
	}
	now := at.Add(30 * time.Second)
	hour := r.hour(now, totals{calls: 1005, values: 99})
	if len(hour) != keptMinutes || hour[0].Calls != 5 || hour[1].Calls != 10 || hour[1].Values != 1 || !hour[1].Begun.Equal(at.Add(-time.Minute)) {
		t.Errorf("%d minutes, the newest %+v", len(hour), hour[:2])
	}
	p := pictures(now, hour)
	if len(p[0].Bars) != keptMinutes || p[0].Bars[0] != (bar{0, 0, pictureHeight}) || p[0].Total != "595" || p[0].Most != "10" || len(p[2].Bars) != 0 {
		t.Errorf("%+v", p)
	}
	if hour := r.hour(at.Add(2*time.Hour), totals{calls: 1005}); len(hour) != 0 {
		t.Errorf("after two hours: %+v", hour)
	}
}
