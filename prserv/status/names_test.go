package status

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	for version, want := range map[string]string{
		"bash-5.2-r0":                       "bash",
		"gtk+3-3.24.34-r0":                  "gtk+3",
		"systemd-1_255.4-r0.1":              "systemd",
		"linux-yocto-6.6+gitAUTOINC+ab-r0":  "linux-yocto",
		"u-boot-git-r0":                     "u-boot",
		"AUTOINC-linux-yocto-6.6+git":       "linux-yocto",
		"AUTOINC-linux-yocto-6.6+git-":      "linux-yocto",
		"AUTOINC-linux-yocto-6.6+git-r":     "linux-yocto",
		"bash":                              "bash",
		"bash-completion":                   "bash-completion",
		"-r0":                               "-r0",
		"":                                  "",
		strings.Repeat("-", 10000) + "1-r0": strings.Repeat("-", 9999),
	} {
		if got := nameOf(version); got != want {
			t.Errorf("nameOf(%.100q) = %.100q, want %.100q", version, got, want)
		}
		if !isVersionOf(version, want) || !isVersionOf(version, version) {
			t.Errorf("%.100q is no version of %.100q", version, want)
		}
	}
	for version, other := range map[string]string{
		"python3-numpy-1.2-r0": "python3", "bash-5-r0": "bas", "AUTOINC-bash-5": "ash", "basher-5": "bash",
	} {
		if isVersionOf(version, other) {
			t.Errorf("%q is a version of %q", version, other)
		}
	}
	if !isVersionOf("foo-1.0-rc1-r0", "foo") {
		t.Error("a minus in PV hides a version")
	}
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
