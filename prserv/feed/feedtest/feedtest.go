// Package feedtest does for tests what a build does with recipes: it asks for
// the keys that oe-core asks for, makes versions of the numbers, and writes the
// indexes of package feeds. The indexes have the fields of those in
// testdata/feeds, which the real programs have made.
//
// Start with [Recipe.Build] and [Write].
package feedtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"prserver/prserv/feed"
)

// Recipe is a recipe. Arch is its PACKAGE_ARCH, PE may be "".
type Recipe struct{ PN, PE, PV, PR, Arch string }

// Style is how an oe-core asks for the count in place of AUTOINC.
//
// Source: package.bbclass:package_get_auto_pr.
type Style int

const (
	NoCount   Style = iota // the recipe has no SRCREV
	Nanbield               // and before: AUTOINC is a part of PV
	Scarthgap              // a part of PKGV; the key is cut short by a character
	Wrynose                // and later: the key is cut short by PR
)

// Built is a package that a recipe has been built to.
type Built struct {
	Recipe
	PKGV, PKGR string
}

// Build asks for the numbers of a recipe and returns the package. Revision is
// that of the source, of ten characters, and task the hash of the task that
// packages; getPR answers as a PR server does.
func (r Recipe) Build(style Style, revision, task string, getPR func(version, pkgarch, checksum string) (string, error)) (Built, error) {
	pv, pkgv := r.PV, r.PV
	if style == Nanbield {
		pv += "AUTOINC+" + revision
	}
	epoch := ""
	if r.PE != "" {
		epoch = r.PE + "_"
	}
	pf := r.PN + "-" + epoch + pv + "-" + r.PR
	key := map[Style]string{Nanbield: r.PN + "-" + epoch + r.PV, Scarthgap: pf[:len(pf)-1], Wrynose: pf[:len(pf)-len(r.PR)]}[style]
	if style != NoCount {
		count, err := getPR("AUTOINC-"+key, r.Arch, "AUTOINC+"+revision)
		if err != nil {
			return Built{}, err
		}
		pkgv += count + "+" + revision
	}
	value, err := getPR(pf, r.Arch, task)
	return Built{r, pkgv, r.PR + "." + value}, err
}

// Version returns the version as the package tools of a format compare it.
func (b Built) Version(format feed.Format) string {
	version := b.PKGV + "-" + b.PKGR
	if format == feed.Rpm {
		version = strings.ReplaceAll(b.PKGV, "-", "+") + "-" + b.PKGR
	}
	if b.PE != "" {
		version = b.PE + ":" + version
	}
	return version
}

// Write makes a feed of packages in a folder.
func Write(folder string, format feed.Format, packages []Built) error {
	if format == feed.Rpm {
		return writeRepodata(folder, packages)
	}
	indexes := map[string]*bytes.Buffer{}
	for _, b := range packages {
		if indexes[b.Arch] == nil {
			indexes[b.Arch] = &bytes.Buffer{}
		}
		arch := b.Arch
		if format == feed.Deb {
			arch = "amd64"
		}
		fmt.Fprintf(indexes[b.Arch], "Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: OE-Core Developers\n", b.PN, b.Version(format), arch)
		if format == feed.Deb {
			fmt.Fprintf(indexes[b.Arch], "Filename: ./%s.deb\nDescription: a package\n and more\nOe: %s\nPackagearch: %s\n\n", b.PN, b.PN, strings.ReplaceAll(b.Arch, "_", "-"))
		} else {
			fmt.Fprintf(indexes[b.Arch], "Filename: %s.ipk\nSource: %s.bb\nDescription: a package\n and more\nOE: %s\nLicense: MIT\n\n", b.PN, b.PN, b.PN)
		}
	}
	for arch, index := range indexes {
		if err := write(filepath.Join(folder, arch, "Packages.gz"), zipped(index.Bytes())); err != nil {
			return err
		}
	}
	return nil
}

func writeRepodata(folder string, packages []Built) error {
	var index bytes.Buffer
	fmt.Fprintf(&index, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata packages=\"%d\">\n", len(packages))
	for _, b := range packages {
		arch := strings.ReplaceAll(b.Arch, "-", "_")
		if arch == "all" {
			arch = "noarch"
		}
		version := strings.ReplaceAll(b.PKGV, "-", "+")
		epoch := b.PE
		if epoch == "" {
			epoch = "0"
		}
		fmt.Fprintf(&index, "<package type=\"rpm\">\n  <name>%s</name>\n  <arch>%s</arch>\n  <version epoch=\"%s\" ver=\"%s\" rel=\"%s\"/>\n"+
			"  <format>\n    <rpm:sourcerpm>%s-%s-%s.src.rpm</rpm:sourcerpm>\n  </format>\n</package>\n",
			b.PN, arch, epoch, version, b.PKGR, b.PN, version, b.PKGR)
	}
	index.WriteString("</metadata>\n")
	if err := write(filepath.Join(folder, "repodata", "primary.xml.gz"), zipped(index.Bytes())); err != nil {
		return err
	}
	return write(filepath.Join(folder, "repodata", "repomd.xml"),
		[]byte(`<repomd><data type="primary"><location href="repodata/primary.xml.gz"/></data></repomd>`))
}

func zipped(text []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(text) // to memory
	z.Close()
	return out.Bytes()
}

func write(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o666)
}
