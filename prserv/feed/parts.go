package feed

import (
	"iter"
	"regexp"
	"strings"

	"prserver/prserv/store"
)

// The parts of a version can be read in several ways. A why is "" if there is
// only one.

// release is PKGR taken apart: PR, a dot and a value, and perhaps what a
// distribution has added, as in r0.7webos4.
type release struct {
	pr    string
	value store.Revision
	why   string
}

// maxReleases is how many dots of PKGR may be the one before the value.
const maxReleases = 4

// releases returns what PKGR may mean. Any of its dots may be the one after PR:
// PR may have dots, and so may values, as a server below another gives them out.
func (p *Package) releases() []release {
	var all []release
	for pr, rest := range p.dots() {
		if len(all) == maxReleases {
			break
		}
		if value, ok := valueOf(rest); ok {
			all = append(all, release{pr: pr, value: value})
		}
	}
	if len(all) > 1 {
		for i := range all {
			all[i].why = p.Release + " read as PR " + all[i].pr + " and " + all[i].value.String()
		}
	}
	return all
}

// dots returns what stands before and behind each dot of PKGR that may be the
// one after PR.
func (p *Package) dots() iter.Seq2[string, string] {
	return func(yield func(pr, rest string) bool) {
		for i := 1; i < len(p.Release); i++ {
			isDot := p.Release[i] == '.' && (p.Recorded == nil || p.Release[:i] == p.Recorded.PR)
			if isDot && !yield(p.Release[:i], p.Release[i+1:]) {
				return
			}
		}
	}
}

// number matches the value that a text begins with.
var number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`)

// valueOf returns the value that a text begins with. The second result is false
// if it begins with none.
func valueOf(text string) (store.Revision, bool) {
	return store.ParseRevision(number.FindString(text))
}

// manyDigits matches what may be too long for a PR value. Few versions have it.
var manyDigits = regexp.MustCompile(`[0-9]{19}`)

// tooLong returns what stands in the version in the place of a value, of the
// package or of AUTOINC, and has too many digits for one. It is "" where there
// is no such number.
func (p *Package) tooLong() string {
	if manyDigits.MatchString(p.Release) && len(p.releases()) == 0 {
		for _, rest := range p.dots() {
			if text := number.FindString(rest); text != "" {
				return text
			}
		}
	}
	if !manyDigits.MatchString(p.Version) {
		return ""
	}
	count := counted.FindStringSubmatch(p.Version)
	if count == nil || p.Recorded != nil && recordedVersion(p.Recorded.PV, count, store.Revision{0}).count == noCount {
		return ""
	}
	if _, ok := store.ParseRevision(count[2]); ok {
		return ""
	}
	return count[2]
}

// origin is the recipe and the PACKAGE_ARCH that a package comes from.
type origin struct {
	recipe, arch string
	likely       bool
	why          string
}

// multilib matches the architecture of a multilib package in rpm, as krogoth
// and before write it. The name of the source package lacks the prefix then.
//
// Source: krogoth, package_rpm.bbclass:do_package_rpm, ml_prefix and
// strip_multilib.
var multilib = regexp.MustCompile(`^(lib[a-z0-9]*)_(.+)$`)

// maxMangled is how many characters of an architecture are tried both ways.
const maxMangled = 3

// origins returns where a package may come from.
func (p *Package) origins() []origin {
	recipe, arch := p.Recipe, p.Arch
	if p.Format == Buildhistory {
		var all []origin
		for i, arch := range archsOf(p.Arch) {
			all = append(all, origin{recipe: recipe, arch: arch, likely: i == 0})
		}
		return all
	}
	if m := multilib.FindStringSubmatch(arch); m != nil && p.Mangled == '_' {
		arch = m[2]
		if !strings.HasPrefix(recipe, m[1]+"-") {
			recipe = m[1] + "-" + recipe
		}
	}
	if p.Mangled == 0 {
		return []origin{{recipe: recipe, arch: arch, likely: true}}
	}
	other := "_"
	if p.Mangled == '_' { // package_rpm.bbclass: PACKAGE_ARCH with - replaced by _
		other = "-"
	}
	var all []origin
	for _, one := range combinations(arch, string(p.Mangled), other, nil) {
		all = append(all, origin{recipe: recipe, arch: one, likely: true})
	}
	if len(all) > 1 {
		for i := range all {
			all[i].why = p.Arch + " read as " + all[i].arch
		}
	}
	return all
}

// combinations returns a text, and that with some or all of the occurrences of
// old replaced by new, unless except holds for what is before and behind it. If
// there are too many, it replaces all or none.
func combinations(text, old, new string, except func(before, behind string) bool) []string {
	var at []int
	for i := range text {
		if strings.HasPrefix(text[i:], old) && (except == nil || !except(text[:i], text[i+len(old):])) {
			at = append(at, i)
		}
	}
	all := []string{text}
	if len(at) > maxMangled {
		return append(all, replaceAt(text, at, new))
	}
	for chosen := 1; chosen < 1<<len(at); chosen++ {
		var some []int
		for bit, i := range at {
			if chosen&(1<<bit) != 0 {
				some = append(some, i)
			}
		}
		all = append(all, replaceAt(text, some, new))
	}
	return all
}

// replaceAt replaces single bytes.
func replaceAt(text string, at []int, new string) string {
	b := []byte(text)
	for _, i := range at {
		b[i] = new[0]
	}
	return string(b)
}

// version is what PKGV says about PV and the count in place of AUTOINC.
type version struct {
	pv     string
	count  countPlace
	value  store.Revision // the count
	before string         // what stands before AUTOINC in PV
	// revision is what stands behind AUTOINC+.
	revision string
	why      string
}

// countPlace says where AUTOINC stands.
type countPlace int

const (
	noCount     countPlace = iota
	countInPV              // up to nanbield: PV has SRCPV, which is AUTOINC+REVISION
	countInPKGV            // since scarthgap: AUTOINC+REVISION is appended to PV to make PKGV
)

// counted matches PKGV with a count in place of AUTOINC, and the revision. With
// several repositories SRCREV_FORMAT says how their revisions follow each other.
// The 0 of 1.0+20240101 is no count: SRCPV does not follow a dot.
//
// Source: bitbake, lib/bb/fetch2/__init__.py:_get_srcrev.
var counted = regexp.MustCompile(`^(.*[^0-9.])([0-9]+)\+([0-9a-f]{7,40}(?:[._-][0-9A-Za-z._-]+)?)$`)

// versions returns what PKGV may mean.
//
// Source: package.bbclass:package_setup_pkgv, before scarthgap
// package_convert_pr_autoinc.
func (p *Package) versions() []version {
	var all []version
	for _, pkgv := range p.pkgvs() {
		count := counted.FindStringSubmatch(pkgv)
		var value store.Revision
		if count != nil {
			value, _ = store.ParseRevision(count[2])
		}
		if p.Recorded != nil {
			return []version{recordedVersion(p.Recorded.PV, count, value)}
		}
		if len(value) > 0 {
			before, revision := count[1], count[3]
			all = append(all, version{before + "AUTOINC+" + revision, countInPV, value, before, revision,
				pkgv + " read as AUTOINC of PV, as up to nanbield"})
			if strings.Contains(before, "+") {
				all = append(all, version{before, countInPKGV, value, "", revision, pkgv + " read as PV " + before + ", as since scarthgap"})
			}
		}
		all = append(all, version{pv: pkgv, why: "PV read as " + pkgv})
	}
	if len(all) == 1 {
		all[0].why = ""
	}
	return all
}

// recordedVersion says where the count stands if PV is known.
func recordedVersion(pv string, count []string, value store.Revision) version {
	before, _, inPV := strings.Cut(pv, "AUTOINC+")
	switch {
	case len(value) > 0 && inPV:
		return version{pv, countInPV, value, before, count[3], ""}
	case len(value) > 0 && count[1] == pv && strings.Contains(pv, "+"):
		return version{pv, countInPKGV, value, "", count[3], ""}
	}
	return version{pv: pv}
}

// source matches what follows a plus that was always one.
var source = regexp.MustCompile(`^(git|svn|hg|bzr|cvs|fossil)`)

// pkgvs returns what PKGV may be: in an rpm, plus stands for minus, too.
//
// Source: package_rpm.bbclass:write_specfile, srcversion.
func (p *Package) pkgvs() []string {
	if p.Format != Rpm {
		return []string{p.Version}
	}
	return combinations(p.Version, "+", "-", func(before, behind string) bool {
		return source.MatchString(behind) || counted.MatchString(before+"+"+behind) && !strings.Contains(behind, "+")
	})
}
