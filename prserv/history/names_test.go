package history_test

import (
	"strings"
	"testing"

	"prserver/prserv/history"
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
		if got := history.PackageOf(version); got != want {
			t.Errorf("PackageOf(%.100q) = %.100q, want %.100q", version, got, want)
		}
		if !history.IsVersionOf(version, want) || !history.IsVersionOf(version, version) {
			t.Errorf("%.100q is no version of %.100q", version, want)
		}
	}
	for version, other := range map[string]string{
		"python3-numpy-1.2-r0": "python3", "bash-5-r0": "bas", "AUTOINC-bash-5": "ash", "basher-5": "bash",
		"bash-completion-2.11-r0": "bash", "bash-5.21-r0": "bash-5.2",
	} {
		if history.IsVersionOf(version, other) {
			t.Errorf("%q is a version of %q", version, other)
		}
	}
	if !history.IsVersionOf("foo-1.0-rc1-r0", "foo") {
		t.Error("a minus in PV hides a version")
	}
	for _, version := range []string{"foo-1.0-r0", "foo-1.0-r0.1", "AUTOINC-foo-1.0-"} {
		if !history.IsVersionOf(version, "foo-1.0") {
			t.Errorf("%s is no version of foo-1.0", version)
		}
	}
}
