package feed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReadings(t *testing.T) {
	ipk := func(version, release string) Package {
		return Package{Format: Ipk, Recipe: "a", Version: version, Release: release, Arch: "all"}
	}
	tests := []struct {
		of   Package
		want []string
	}{
		{ipk("1.0", "r0"), nil},
		{ipk("1.0", "r0.7"), []string{"a-1.0-r0 all 7"}},
		{ipk("1.0", "r0.07"), []string{"a-1.0-r0 all 7"}},
		{ipk("1.0", "r0.7webos4"), []string{"a-1.0-r0 all 7"}},
		{ipk("1.0", "r0webos4"), nil},
		{ipk("1.0", "r0webos4.7"), []string{"a-1.0-r0webos4 all 7"}},
		{ipk("1.0", "r0.7webos.4"), []string{"a-1.0-r0 all 7", "a-1.0-r0.7webos all 4"}},
		{ipk("1.0", "r5.3.2.1"), []string{"a-1.0-r5 all 3.2.1", "a-1.0-r5.3 all 2.1", "a-1.0-r5.3.2 all 1"}},
		{ipk("1.0", "r0.9999999999999999999"), nil}, // no PR server counts that far
		{ipk("1.0-rc1", "r0.7"), []string{"a-1.0-rc1-r0 all 7"}},
		{Package{Format: Ipk, Recipe: "a", Epoch: "2", Version: "1.0", Release: "r0.7", Arch: "all"}, []string{"a-2_1.0-r0 all 7"}},
		{ipk("git5+0123456789", "r0.7"), []string{
			"a-gitAUTOINC+0123456789-r0 all 7", "AUTOINC-a-git all 5 auto", "a-git5+0123456789-r0 all 7",
		}},
		{ipk("1.0+git12+0123456789_abcdef0123", "r1.7"), []string{
			"a-1.0+gitAUTOINC+0123456789_abcdef0123-r1 all 7", "AUTOINC-a-1.0+git all 12 auto",
			"a-1.0+git-r1 all 7", "AUTOINC-a-1.0+git- all 12 auto", "AUTOINC-a-1.0+git-r all 12 auto",
			"a-1.0+git12+0123456789_abcdef0123-r1 all 7",
		}},
		{ipk("1.0+git20240101", "r0.7"), []string{"a-1.0+git20240101-r0 all 7"}},
		{ipk("1.0+20240101", "r0.7"), []string{"a-1.0+20240101-r0 all 7"}},
		{Package{Format: Deb, Recipe: "a", Version: "1", Release: "r0.7", Arch: "x86-64", Mangled: '-'},
			[]string{"a-1-r0 x86-64 7", "a-1-r0 x86_64 7"}},
		{Package{Format: Rpm, Recipe: "a", Version: "1.0+rc1+git5+0123456789", Release: "r0.7", Arch: "core2_64", Mangled: '_'}, []string{
			"a-1.0+rc1+gitAUTOINC+0123456789-r0 core2_64 7", "AUTOINC-a-1.0+rc1+git core2_64 5 auto",
			"a-1.0+rc1+git-r0 core2_64 7", "AUTOINC-a-1.0+rc1+git- core2_64 5 auto", "AUTOINC-a-1.0+rc1+git-r core2_64 5 auto",
			"a-1.0+rc1+git5+0123456789-r0 core2_64 7",
			"a-1.0-rc1+gitAUTOINC+0123456789-r0 core2_64 7", "AUTOINC-a-1.0-rc1+git core2_64 5 auto",
			"a-1.0-rc1+git-r0 core2_64 7", "AUTOINC-a-1.0-rc1+git- core2_64 5 auto", "AUTOINC-a-1.0-rc1+git-r core2_64 5 auto",
			"a-1.0-rc1+git5+0123456789-r0 core2_64 7",
		}},
		// krogoth: the source package lacks the prefix of a multilib, the architecture has it.
		{Package{Format: Rpm, Recipe: "a", Version: "1", Release: "r0.7", Arch: "lib32_x86", Mangled: '_'}, []string{"lib32-a-1-r0 x86 7"}},
		{Package{Format: Rpm, Recipe: "lib32-a", Version: "1", Release: "r0.7", Arch: "lib32_x86", Mangled: '_'}, []string{"lib32-a-1-r0 x86 7"}},
		// Recorded: nothing is left to guess.
		{Package{Format: Buildhistory, Recipe: "a", Version: "1.0", Release: "r0.7.1", Arch: "all-poky-linux", Recorded: &Recorded{PV: "1.0", PR: "r0.7"}},
			[]string{"a-1.0-r0.7 all 1"}},
		{Package{Format: Buildhistory, Recipe: "a", Epoch: "3", Version: "2", Release: "r0.7", Arch: "armv7a-oe-linux-gnueabi", Recorded: &Recorded{PE: "1", PV: "1.0", PR: "r0"}},
			[]string{"a-1_1.0-r0 armv7a 7"}},
		{Package{Format: Buildhistory, Recipe: "a", Version: "1.0", Release: "r0", Arch: "all-poky-linux", Recorded: &Recorded{PV: "1.0", PR: "r0"}}, nil},
	}
	for _, test := range tests {
		var got []string
		for _, r := range test.of.Readings() {
			if test.of.Mangled == '_' && strings.Contains(r.Pkgarch, "-") || !r.Likely {
				continue // the other half
			}
			line := fmt.Sprintf("%s %s %s", r.Version, r.Pkgarch, r.Value)
			if r.Auto {
				line += " auto"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %s: got\n%s\nwant\n%s", test.of.FullVersion(), test.of.Arch, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

// Where there are several readings, each says which it is.
func TestReadingsSayWhy(t *testing.T) {
	p := Package{Format: Rpm, Recipe: "a", Version: "1+x", Release: "r0.7.1", Arch: "core2_64", Mangled: '_'}
	seen := map[string]bool{}
	for _, r := range p.Readings() {
		if r.Why == "" || seen[r.Why] {
			t.Errorf("%+v has no reason of its own", r)
		}
		seen[r.Why] = true
	}
	if len(seen) != 8 {
		t.Errorf("got %d readings, want 8", len(seen))
	}
	certain := Package{Format: Ipk, Recipe: "a", Version: "1", Release: "r0.7", Arch: "all"}
	if got := certain.Readings(); len(got) != 1 || got[0].Why != "" {
		t.Errorf("got %+v", got)
	}
}

// However many characters have been replaced, the readings stay few.
func TestReadingsAreFew(t *testing.T) {
	p := Package{Format: Rpm, Recipe: "a", Version: strings.Repeat("1+", 500) + "git5+0123456789", Release: "r0" + strings.Repeat(".1", 500),
		Arch: strings.Repeat("a_", 500), Mangled: '_'}
	if got := len(p.Readings()); got > 8*8*4*6 {
		t.Errorf("got %d readings", got)
	}
}

func TestSplitVersion(t *testing.T) {
	for version, want := range map[string][3]string{
		"1.0-r0.7":   {"", "1.0", "r0.7"},
		"0:1.0-r0.7": {"", "1.0", "r0.7"},
		"2:1-0-r0.7": {"2", "1-0", "r0.7"},
		"a:1.0-r0":   {"", "a:1.0", "r0"},
		"1.0":        {"", "1.0", ""},
	} {
		epoch, pkgv, pkgr := splitVersion(version)
		if got := [3]string{epoch, pkgv, pkgr}; got != want {
			t.Errorf("%s: got %q, want %q", version, got, want)
		}
	}
}
