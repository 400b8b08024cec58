package status

import (
	"cmp"
	"regexp"
	"strings"
)

// autoInc begins the versions by which recipes count their source revisions.
const autoInc = "AUTOINC-"

// release is PR at the end of a version, or what some releases of oe-core leave
// of it.
var release = regexp.MustCompile(`-(r([0-9][0-9.]*)?)?$`)

// nameOf returns the package that a version belongs to: gtk+3 of
// gtk+3-3.24.34-r0 and of AUTOINC-gtk+3-3.24.34+git. A version has no sign of
// where the name ends: it is taken to have no minus between PV and PR.
func nameOf(version string) string {
	version = strings.TrimPrefix(version, autoInc)
	rest := version
	if at := release.FindStringIndex(version); at != nil {
		rest = version[:at[0]]
	}
	last := strings.LastIndexByte(rest, '-')
	if last <= 0 || rest == version && !beginsWithDigit(rest[last+1:]) {
		return version
	}
	return rest[:last]
}

// isVersionOf tells whether a version is a name itself, or a version of the
// package with that name. It agrees with nameOf.
func isVersionOf(version, name string) bool {
	if version == name || nameOf(version) == name {
		return true
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, autoInc), strings.TrimPrefix(name, autoInc))
	return ok && (rest == "" || rest[0] == '-' && beginsWithDigit(rest[1:]))
}

func beginsWithDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }

// after returns the least text that comes after all that begin with a prefix.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "\xff\xff\xff\xff"
}

// compareNaturally compares texts, but numbers in them by their value:
// 1.9 < 1.10.
func compareNaturally(a, b string) int {
	for a != "" && b != "" {
		n, m := leadingDigits(a), leadingDigits(b)
		if n == 0 || m == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingDigits(text string) int {
	return len(text) - len(strings.TrimLeft(text, "0123456789"))
}
