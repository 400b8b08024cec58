package feed

import (
	"strings"

	"prserver/prserv/store"
)

// Reading is what the version of a package may say about a PR server's
// database: that a key has been given a value.
type Reading struct {
	Version, Pkgarch string // of the key
	Value            store.Revision
	// Auto tells that the value stands in the version, in place of AUTOINC, and
	// not in the release. The keys of such values begin with "AUTOINC-".
	Auto bool
	// Way numbers the ways to read the version. If a database knows one key of a
	// way, the others of that way and Pkgarch are right, too.
	Way int
	// Likely tells that the reading is to be taken where a database knows none
	// of the package's keys. A row too many does no harm, as nobody asks for
	// it; a row too few lets numbers go back.
	Likely bool
	// Why says how the version is read, where there is more than one way.
	Why string
}

// Readings returns all readings of a package, the most likely first. Those of
// Auto are apart from the others: a package may have both. There are none if no
// PR server has given the package a number, so that PKGR is PR.
//
// Sources: bitbake.conf, PF, EXTENDPE, EXTENDPRAUTO, PKGV and PKGR;
// package.bbclass:package_get_auto_pr.
func (p *Package) Readings() []Reading {
	var found readings
	releases, origins, versions := p.releases(), p.origins(), p.versions()
	for _, release := range releases {
		for _, origin := range origins {
			for way, version := range versions {
				found.addAll(p.epoch(), release, origin, version, way)
			}
		}
	}
	return found
}

// epoch is what stands before PV in PF.
func (p *Package) epoch() string {
	epoch := p.Epoch
	if p.Recorded != nil {
		epoch = p.Recorded.PE
	}
	if epoch == "" {
		return ""
	}
	return epoch + "_"
}

// readings are readings, of which each key comes once.
type readings []Reading

// addAll adds what a combination of readings of the parts says.
func (r *readings) addAll(epoch string, release release, origin origin, version version, way int) {
	pf := func(pv string) string { return origin.recipe + "-" + epoch + pv + "-" + release.pr }
	main := pf(version.pv)
	add := func(key string, value store.Revision, auto bool, why string) {
		r.add(Reading{Version: key, Pkgarch: origin.arch, Value: value, Auto: auto, Way: way, Likely: origin.likely,
			Why: join(release.why, origin.why, version.why, why)})
	}
	add(main, release.value, false, "")
	const prefix = "AUTOINC-"
	switch version.count {
	case countInPV: // every oe-core, where PV has AUTOINC: version[:version.find(srcpv)]
		add(prefix+origin.recipe+"-"+epoch+version.before, version.value, true, "")
	case countInPKGV:
		// Scarthgap does not find it, and find returns -1: version[:-1]. Since
		// wrynose it is version[:-len(pr)].
		add(prefix+strings.TrimSuffix(main, release.pr), version.value, true, "AUTOINC as wrynose and later ask for it")
		add(prefix+main[:len(main)-1], version.value, true, "AUTOINC as scarthgap asks for it")
	}
}

// add adds a reading. Of two of the same key, that with the greater value is
// the cautious one.
func (r *readings) add(of Reading) {
	for i, known := range *r {
		if known.Version == of.Version && known.Pkgarch == of.Pkgarch && known.Auto == of.Auto {
			if of.Value.Compare(known.Value) > 0 {
				(*r)[i] = of
			}
			return
		}
	}
	*r = append(*r, of)
}

// join joins reasons.
func join(reasons ...string) string {
	var all string
	for _, reason := range reasons {
		if reason != "" && all != "" {
			all += "; "
		}
		all += reason
	}
	return all
}
