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
	// Checksum is the one that a server was asked with, if Auto: the revision of
	// the source, with "AUTOINC+" before it.
	Checksum string
	// Way numbers the ways to read PKGV and PKGR. The readings of one way and
	// pkgarch are right or wrong together.
	Way int
	// Vague tells that a database may well know the key with as high a value
	// and have given out another package's number: only if it also knows an
	// Auto reading of the same way with its checksum, it has given out this one.
	Vague bool
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
	for i, release := range releases {
		for _, origin := range origins {
			for j, version := range versions {
				found.addAll(p.epoch(), release, origin, version, i*len(versions)+j)
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

// readings are readings, of which each key comes once in each way.
type readings []Reading

// addAll adds what a combination of readings of the parts says.
func (r *readings) addAll(epoch string, release release, origin origin, version version, way int) {
	pf := func(pv string) string { return origin.recipe + "-" + epoch + pv + "-" + release.pr }
	main := pf(version.pv)
	of := Reading{Pkgarch: origin.arch, Way: way, Likely: origin.likely, Why: join(release.why, origin.why, version.why)}
	count := func(key, why string) {
		auto := of
		auto.Version, auto.Value, auto.Auto, auto.Checksum = key, version.value, true, "AUTOINC+"+version.revision
		auto.Why = join(of.Why, why)
		r.add(auto)
	}
	number := of
	number.Version, number.Value, number.Vague = main, release.value, version.count == countInPKGV
	r.add(number)
	const prefix = "AUTOINC-"
	switch version.count {
	case countInPV: // every oe-core, where PV has AUTOINC: version[:version.find(srcpv)]
		count(prefix+origin.recipe+"-"+epoch+version.before, "")
	case countInPKGV:
		// Scarthgap does not find it, and find returns -1: version[:-1]. Since
		// wrynose it is version[:-len(pr)].
		count(prefix+strings.TrimSuffix(main, release.pr), "AUTOINC as wrynose and later ask for it")
		count(prefix+main[:len(main)-1], "AUTOINC as scarthgap asks for it")
	}
}

// add adds a reading. Of two of the same key and way, as they come of a PR of
// one character, that with the greater value is the cautious one.
func (r *readings) add(of Reading) {
	for i, known := range *r {
		if known.Version == of.Version && known.Pkgarch == of.Pkgarch && known.Way == of.Way {
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
