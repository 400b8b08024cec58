package history

import (
	"regexp"
	"strings"
)

// AutoInc begins the versions by which recipes count their source revisions.
const AutoInc = "AUTOINC-"

// release is PR at the end of a version, or what some releases of oe-core leave
// of it.
var release = regexp.MustCompile(`-(r([0-9][0-9.]*)?)?$`)

// PackageOf returns the package that a version belongs to: gtk+3 of
// gtk+3-3.24.34-r0 and of AUTOINC-gtk+3-3.24.34+git. A version has no sign of
// where the name ends: it is taken to have no minus between PV and PR.
func PackageOf(version string) string {
	version = strings.TrimPrefix(version, AutoInc)
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

// IsVersionOf tells whether a version is a name itself, or a version of the
// package with that name, such as bash or bash-5.2. It agrees with PackageOf.
func IsVersionOf(version, name string) bool {
	if version == name || PackageOf(version) == name {
		return true
	}
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, AutoInc), strings.TrimPrefix(name, AutoInc))
	return ok && (rest == "" || release.FindString(rest) == rest || rest[0] == '-' && beginsWithDigit(rest[1:]))
}

func beginsWithDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }
