package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"
)

// Format is the kind of packages that a feed has.
type Format string

const (
	Ipk          Format = "ipk"
	Deb          Format = "deb"
	Rpm          Format = "rpm"
	Buildhistory Format = "buildhistory"
)

// Package is a binary package as a feed publishes it.
type Package struct {
	Format Format
	Name   string // of the binary package
	Recipe string // PN; in rpm perhaps without the prefix of a multilib
	// Epoch, Version and Release are PKGE, PKGV and PKGR. No epoch is "".
	Epoch, Version, Release string
	// Arch is PACKAGE_ARCH. If Mangled is not 0, every such character of it may
	// have been another one.
	Arch    string
	Mangled byte
	// Recorded are PE, PV and PR, if somebody has recorded those, too.
	Recorded *Recorded

	File string // where the package was found: a path or an address
	Line int    // of that file, or 0
}

// Recorded are the variables of which PKGE, PKGV and PKGR are made.
type Recorded struct{ PE, PV, PR string }

// Where says where the package was found, as FILE or FILE:LINE.
func (p *Package) Where() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// FullVersion returns the version as the package's own tools write it.
func (p *Package) FullVersion() string {
	if p.Epoch == "" {
		return p.Version + "-" + p.Release
	}
	return p.Epoch + ":" + p.Version + "-" + p.Release
}

// Options are how to read a feed. All of them may be left out.
type Options struct {
	// AllPackages takes packages that OpenEmbedded has not made. Their recipe
	// is what they call their source, or else their own name.
	AllPackages bool
	// History reads every version that the git history of a buildhistory has,
	// and not only the latest of each package.
	History bool
	Stdin   io.Reader // what "-" is read from: an index
	// Progress is told now and then which part of a file has been read, from 0
	// to 1, or -1 if nobody knows.
	Progress func(file string, part float64)
	// Warn is given a line about everything that is left out.
	Warn func(line string)
	// MaxFile bounds an index before it is unpacked, MaxUnpacked after. By
	// default they are 1 and 4 GiB.
	MaxFile, MaxUnpacked int64
	// Timeout is how long an address may send nothing, by default a minute.
	Timeout time.Duration
}

const (
	defaultMaxFile     = 1 << 30
	defaultMaxUnpacked = 4 << 30
	defaultTimeout     = time.Minute
)

// errForeign is returned for a feed without a package that OpenEmbedded has made.
var errForeign = errors.New("OpenEmbedded has not made this feed; with --all-packages its packages count all the same")

// Read calls each with every package of a feed, in no particular order, and
// returns its first error. The name is a folder, a file, an http or https
// address, or "-". Errors are one line and name the file and the line or the
// member of an archive. Packages that came before an error do not count: what
// they are part of may not be a feed at all.
func Read(ctx context.Context, name string, o Options, each func(*Package) error) error {
	r := &reader{Options: o, each: each}
	if r.MaxFile == 0 {
		r.MaxFile = defaultMaxFile
	}
	if r.MaxUnpacked == 0 {
		r.MaxUnpacked = defaultMaxUnpacked
	}
	if r.Timeout == 0 {
		r.Timeout = defaultTimeout
	}
	err := r.read(ctx, name)
	var taking *takeError
	switch {
	case errors.As(err, &taking):
		return taking.err
	case err != nil:
		return err
	}
	return r.end()
}

// reader reads one feed.
type reader struct {
	Options
	each    func(*Package) error
	made    int      // packages that OpenEmbedded has made
	foreign int      // packages that it has not made
	first   *Package // the first of those
	told    int      // of those that are left out, how many had a line each
	tooLong int      // packages with a number that is too long for a PR value
}

// maxWarnings is how many packages that are left out get a line each.
const maxWarnings = 10

// take passes a package on, unless it is a foreign one.
func (r *reader) take(p *Package, source string) error {
	if p.Recipe != "" && (p.Format != Rpm || releaseOfOE.MatchString(p.Release)) {
		r.made++
		return r.pass(p)
	}
	switch {
	case r.AllPackages && p.Recipe == "" && source != "":
		p.Recipe = source
	case r.AllPackages && p.Recipe == "":
		p.Recipe = p.Name
	case p.Recipe == "":
		if r.foreign++; r.first == nil {
			r.first = p
		}
		if r.told < maxWarnings && r.made > 0 { // else the feed may be refused
			r.told++
			r.warn("%s: package %s names no recipe and is left out", p.Where(), p.Name)
		}
		return nil
	default: // an rpm whose PR is no usual one
		if r.foreign++; r.first == nil {
			r.first = p
		}
	}
	return r.pass(p)
}

// pass passes a package on.
func (r *reader) pass(p *Package) error {
	if number := p.tooLong(); number != "" {
		if r.tooLong++; r.tooLong <= maxWarnings {
			r.warn("%s: package %s has the version %s: no PR server has given out %s, so this number is left out",
				p.Where(), p.Name, p.FullVersion(), number)
		}
	}
	if err := r.each(p); err != nil {
		return &takeError{err}
	}
	return nil
}

// releaseOfOE matches PKGR of nearly all recipes. Rpms do not say who has made
// them, but the releases of other distributions begin with a number.
var releaseOfOE = regexp.MustCompile(`^r[0-9]`)

// end refuses a feed that only others have made.
func (r *reader) end() error {
	switch {
	case r.foreign == 0 || r.AllPackages:
	case r.made == 0 && r.first.Recipe == "":
		return fmt.Errorf("%s: package %s names no recipe: %w", r.first.Where(), r.first.Name, errForeign)
	case r.made == 0:
		return fmt.Errorf("%s: package %s has the release %s, which is none of a recipe: %w",
			r.first.Where(), r.first.Name, r.first.Release, errForeign)
	case r.first.Recipe == "" && r.told == 0:
		r.warn("packages that name no recipe are left out: %d, the first of them %s", r.foreign, r.first.Where())
	case r.first.Recipe == "" && r.foreign > r.told:
		r.warn("other packages that name no recipe are left out: %d", r.foreign-r.told)
	}
	if r.tooLong > maxWarnings {
		r.warn("other packages with numbers that no PR server has given out: %d", r.tooLong-maxWarnings)
	}
	return nil
}

func (r *reader) warn(format string, args ...any) {
	if r.Warn != nil {
		r.Warn(fmt.Sprintf(format, args...))
	}
}

func (r *reader) progress(file string, part float64) {
	if r.Progress != nil {
		r.Progress(file, part)
	}
}
