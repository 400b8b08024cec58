package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// paragraph is what counts of a paragraph of a control file.
type paragraph struct {
	line int // its first line
	// The recipe is in the field OE. PackageArch is PACKAGE_ARCH in a deb,
	// whose Architecture is what Debian calls that.
	name, version, arch, packageArch, oe, source, filename string
}

// field returns where to put the value of a field, or nil.
//
// Sources: package_ipk.bbclass:ipk_write_pkg, package_deb.bbclass:deb_write_pkg;
// before 2017 do_package_ipk and do_package_deb, with the same fields.
func (p *paragraph) field(name []byte) *string {
	switch len(name) { // most names are ruled out by that
	case 2:
		if strings.EqualFold(string(name), "OE") {
			return &p.oe
		}
	case 6:
		if strings.EqualFold(string(name), "Source") {
			return &p.source
		}
	case 7:
		switch {
		case strings.EqualFold(string(name), "Package"):
			return &p.name
		case strings.EqualFold(string(name), "Version"):
			return &p.version
		}
	case 8:
		if strings.EqualFold(string(name), "Filename") {
			return &p.filename
		}
	case 11, 12:
		switch {
		case strings.EqualFold(string(name), "PackageArch"):
			return &p.packageArch
		case strings.EqualFold(string(name), "Architecture"):
			return &p.arch
		}
	}
	return nil
}

// maxValue bounds the names and versions of packages.
const maxValue = 1 << 12

// lineError is an error in a line of a text, of which 1 is the first.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// readControl calls each with every paragraph of a text such as an index named
// Packages, or the file control of a package. The error is a [*lineError].
//
// Source: Debian Policy, chapter 5.1.
func readControl(text io.Reader, each func(*paragraph) error) error {
	in := bufio.NewReaderSize(text, 64<<10)
	line := 0
	p := paragraph{}
	fail := func(format string, args ...any) error { return &lineError{line, fmt.Errorf(format, args...)} }
	finish := func() error {
		switch {
		case p == paragraph{}:
			return nil
		case p.name == "":
			return &lineError{p.line, errors.New("this paragraph is no package: it has no field Package")}
		case p.version == "":
			return &lineError{p.line, fmt.Errorf("package %s has no version", p.name)}
		}
		done := p
		p = paragraph{}
		return each(&done)
	}
	for {
		text, err := in.ReadSlice('\n')
		line++
		long := errors.Is(err, bufio.ErrBufferFull)
		name, value, isField := bytes.Cut(text, []byte(":"))
		isField = isField && len(name) > 0 && !bytes.ContainsAny(name, " \t\x00\r")
		switch {
		case err != nil && !errors.Is(err, io.EOF) && !long:
			return &lineError{line, err}
		case len(bytes.TrimSpace(text)) == 0 && !long:
			if err := finish(); err != nil {
				return err
			}
		case text[0] == ' ' || text[0] == '\t': // the line before goes on
		case text[0] == '#':
		case !isField:
			return fail("%.40q is no field of a package", bytes.TrimSpace(text[:min(len(text), 80)]))
		default:
			if p.line == 0 {
				p.line = line
			}
			to := p.field(name)
			value = bytes.TrimSpace(value)
			switch {
			case to == nil:
			case long || len(value) > maxValue:
				return fail("the field %s is longer than %d bytes", name, maxValue)
			case !utf8.Valid(value):
				return fail("the field %s is not UTF-8", name)
			default:
				*to = string(value)
			}
		}
		for long { // nothing of it is of interest
			_, err = in.ReadSlice('\n')
			long = errors.Is(err, bufio.ErrBufferFull)
		}
		if errors.Is(err, io.EOF) {
			return finish()
		} else if err != nil {
			return &lineError{line, err}
		}
	}
}

// takeParagraph passes on the package of a paragraph. Folder is the name of
// the folder that the index or the package is in.
func (r *reader) takeParagraph(p *paragraph, file string, line int, folder string) error {
	pkg := &Package{Format: Ipk, Name: p.name, Recipe: p.oe, Arch: p.arch, File: file, Line: line}
	if pkg.Epoch, pkg.Version, pkg.Release = splitVersion(p.version); pkg.Release == "" && p.oe != "" {
		return fmt.Errorf("package %s has the version %q without a PR", p.name, p.version)
	}
	name := file
	if p.filename != "" {
		name = p.filename
	}
	if p.packageArch != "" || strings.HasSuffix(name, ".deb") {
		pkg.Format = Deb
	}
	// In a deb, PackageArch has - where PACKAGE_ARCH has _. The folder has the
	// name as it is: package_deb.bbclass, pkgoutdir.
	if p.packageArch != "" {
		pkg.Arch, pkg.Mangled = p.packageArch, '-'
		if strings.ReplaceAll(folder, "_", "-") == p.packageArch {
			pkg.Arch, pkg.Mangled = folder, 0
		}
	}
	return r.take(pkg, sourceName(p.source))
}

// splitVersion takes apart PKGE:PKGV-PKGR. A PKGR has no minus.
func splitVersion(version string) (epoch, pkgv, pkgr string) {
	if before, after, ok := strings.Cut(version, ":"); ok && strings.Trim(before, "0123456789") == "" {
		epoch, version = before, after
	}
	if epoch == "0" {
		epoch = ""
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		return epoch, version[:i], version[i+1:]
	}
	return epoch, version, ""
}

// sourceName is the name in a field Source: in a foreign deb that of a source
// package, perhaps with its version in brackets, in an ipk that of a recipe
// file.
func sourceName(source string) string {
	source, _, _ = strings.Cut(source, " ")
	source, isFile := strings.CutSuffix(source, ".bb")
	if isFile {
		source, _, _ = strings.Cut(source, "_")
	}
	return source
}
