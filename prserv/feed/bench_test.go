package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"testing"
)

// many is how many packages the index of a large feed has.
const many = 100_000

// An index of each format. The goal is 3 s, and 64 MiB with what a copy does
// with the packages.
func BenchmarkRead(b *testing.B) {
	for _, index := range []struct {
		name  string
		write func(w io.Writer, recipe, i int)
	}{
		{"Packages.gz", func(w io.Writer, recipe, i int) {
			fmt.Fprintf(w, "Package: package-%d\nVersion: 1.%d-r0.%d\nDepends: libc6 (>= 2.39), package-%d (>= 1.0), update-alternatives-opkg\n"+
				"Section: base\nArchitecture: core2-64\nMaintainer: OE-Core Developers <openembedded-core@lists.openembedded.org>\n"+
				"MD5Sum: %032x\nSize: %d\nFilename: package-%d_1.%d-r0.%d_core2-64.ipk\nSource: recipe-%d_1.%d.bb\n"+
				"Description: A package version 1.%d\n It does what packages of its kind do, in two lines or in three.\nOE: recipe-%d\nHomePage: https://example.org\nLicense: MIT\nPriority: optional\n\n",
				i, recipe, recipe%50, i/2, i*31, i, i, recipe, recipe%50, recipe, recipe, recipe, recipe)
		}},
		{"primary.xml.gz", func(w io.Writer, recipe, i int) {
			if i == 0 {
				fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata packages=\"%d\">\n", many)
			}
			fmt.Fprintf(w, "<package type=\"rpm\">\n  <name>package-%d</name>\n  <arch>core2_64</arch>\n  <version epoch=\"0\" ver=\"1.%d\" rel=\"r0.%d\"/>\n"+
				"  <checksum type=\"sha256\" pkgid=\"YES\">%064x</checksum>\n  <summary>A package</summary>\n  <description>A package version 1.%d</description>\n"+
				"  <location href=\"core2_64/package-%d-1.%d-r0.%d.core2_64.rpm\"/>\n  <format>\n    <rpm:license>MIT</rpm:license>\n"+
				"    <rpm:sourcerpm>recipe-%d-1.%d-r0.%d.src.rpm</rpm:sourcerpm>\n    <rpm:requires>\n", i, recipe, recipe%50, i, recipe, i, recipe, recipe%50, recipe, recipe, recipe%50)
			for dependency := range 10 {
				fmt.Fprintf(w, "      <rpm:entry name=\"libpackage-%d.so.%d()(64bit)\" flags=\"GE\" epoch=\"0\" ver=\"1.%d\"/>\n", i/7, dependency, recipe)
			}
			fmt.Fprint(w, "    </rpm:requires>\n  </format>\n</package>\n")
			if i == many-1 {
				fmt.Fprint(w, "</metadata>\n")
			}
		}},
	} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		for i := range many {
			index.write(z, i/8, i)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
		b.Run(index.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				packages := 0
				r := &reader{Options: Options{MaxFile: defaultMaxFile, MaxUnpacked: defaultMaxUnpacked}, each: func(*Package) error { packages++; return nil }}
				if err := r.readNamed(context.Background(), bytes.NewReader(packed.Bytes()), index.name, index.name, "core2-64", -1); err != nil {
					b.Fatal(err)
				}
				if packages != many {
					b.Fatalf("got %d packages", packages)
				}
			}
		})
	}
}
