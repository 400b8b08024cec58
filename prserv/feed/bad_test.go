package feed_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/feed"
)

// gzipped compresses a text.
func gzipped(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text) // to memory
	z.Close()
	return b.Bytes()
}

// contentOf returns a file of the feeds.
func contentOf(t *testing.T, pattern string) []byte {
	t.Helper()
	found, err := filepath.Glob(feeds + pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// opkgTar is a package as opkg-build made it before 2014, with a control file.
func opkgTar(control []byte) []byte {
	pack := func(name string, content []byte) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		w.WriteHeader(&tar.Header{Name: "./" + name, Size: int64(len(content)), Mode: 0o644}) // to memory
		w.Write(content)
		w.Close()
		return gzipped(b.Bytes())
	}
	return pack("control.tar.gz", pack("control", control))
}

const good = "Package: a\nVersion: 1-r0.1\nArchitecture: all\nOE: a\n\n"

func TestReadRefusesBadInput(t *testing.T) {
	index := []byte(strings.Repeat(good, 1000))
	rpm, deb := contentOf(t, "single/rpm/noarch/*.rpm"), contentOf(t, "single/deb/*/*.deb")
	primary := contentOf(t, "foreign/primary.xml")
	for _, test := range []struct {
		what, file string
		content    []byte
		want       string
	}{
		{"a truncated index", "Packages.gz", gzipped(index)[:200], "Packages.gz: its end is missing, in line "},
		{"a header only", "Packages.gz", gzipped(index)[:4], "Packages.gz: its end is missing"},
		{"damage", "Packages.gz", append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{255}, 99)...), "cannot be unpacked"},
		{"a bomb", "Packages.gz", gzipped(bytes.Repeat([]byte(good), 50_000)), "Packages.gz: it is larger than a feed can be, in line "},
		{"a bomb without lines", "Packages.gz", gzipped(bytes.Repeat([]byte(" "), 4<<20)), "it is larger than a feed can be"},
		{"a bomb in a package", "a.ipk", opkgTar(bytes.Repeat([]byte(good), 400_000)), "member control.tar.gz: control, line "},
		{"a window that is too large", "Packages.zst", []byte("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00a"), "larger than a feed can be"},
		{"a field without a name", "Packages", []byte("Package: a\nVersion: 1-r0.1\nOE: a\nnonsense\n"), `Packages:4: "nonsense" is no field of a package`},
		{"no package", "Packages", []byte(good + "Version: 1\n"), "Packages:6: this paragraph is no package"},
		{"no version", "Packages", []byte(good + "Package: b\nOE: b\n"), "Packages:6: package b has no version"},
		{"no PR", "Packages", []byte("Package: b\nOE: b\nVersion: 1\n"), `Packages:1: package b has the version "1" without a PR`},
		{"Latin-1", "Packages", []byte("Package: \xe4\nVersion: 1-r0.1\n"), "Packages:1: the field Package is not UTF-8"},
		{"UTF-16", "Packages", []byte("P\x00a\x00c\x00:\x00"), `Packages:1: `},
		{"a long name", "Packages", []byte("Package: " + strings.Repeat("a", 1<<17) + "\n"), "Packages:1: the field Package is longer than 4096 bytes"},
		{"a foreign index", "Packages", []byte("Package: hostname\nVersion: 3.23\n"), "Packages:1: package hostname names no recipe: OpenEmbedded has not made this feed"},
		{"a foreign index of rpms", "primary.xml", primary, "primary.xml:3: package base-files has the release 4.fc42, which is none of a recipe"},
		{"half an index of rpms", "primary.xml", primary[:len(primary)/2], "primary.xml: its end is missing, in line "},
		{"no index of rpms", "primary.xml", []byte("<html></html>"), "primary.xml:1: it is no index of rpm packages: it begins with <html>"},
		{"an end without a beginning", "primary.xml", []byte("</metadata>"), "primary.xml:1: it is no XML"},
		{"an rpm without a version", "primary.xml", []byte("<metadata>\n<package><name>a</name>\n</package></metadata>"), "primary.xml:3: a package lacks a name, a version or a release"},
		{"half an rpm", "a.rpm", rpm[:len(rpm)-600], "a.rpm: its header: its end is missing"},
		{"a lead only", "a.rpm", rpm[:96], "a.rpm: its header of signatures: its end is missing"},
		{"no rpm", "a.rpm", bytes.Repeat([]byte("a"), 200), "a.rpm: it is no rpm package"},
		{"half a deb", "a.deb", deb[:100], "a.deb: its end is missing"},
		{"half the control files", "a.deb", deb[:200], "a.deb: member control.tar.xz: its end is missing"},
		{"no deb", "a.deb", []byte("hello"), "a.deb: its end is missing"},
		{"an empty archive", "a.deb", []byte("!<arch>\n"), "a.deb: it is no package: it has no control file"},
		{"a wrong member", "a.deb", []byte("!<arch>\n" + strings.Repeat("x", 60)), "a.deb: it is no ar archive"},
		{"an empty file", "a.ipk", nil, "a.ipk: it is no package: it has no control file"},
		{"no control file", "a.ipk", opkgTar(nil), "a.ipk: member control.tar.gz: control is empty"},
		{"wrong lines of a control file", "a.ipk", opkgTar([]byte("Package: a\nwrong\n")), `a.ipk: member control.tar.gz: control, line 2: "wrong" is no field`},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, test.file)
		if err := os.WriteFile(path, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := feed.Read(context.Background(), path, feed.Options{MaxUnpacked: 1 << 20}, func(*feed.Package) error { return nil })
		if err == nil {
			t.Errorf("%s: no error", test.what)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), folder+"/", ""); !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got error %q, want one with %q", test.what, got, test.want)
		}
	}
}

func TestReadRefusesFolders(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("empty/notes.txt", "hello")
	write("outside/repodata/repomd.xml", `<repomd><data type="primary"><location href="../../secret"/></data></repomd>`)
	write("noprimary/repodata/repomd.xml", `<repomd><data type="filelists"><location href="a"/></data></repomd>`)
	write("noxml/repodata/repomd.xml", "<repomd>")
	write("history/packages/all-poky-linux/a/a/latest", "PV = 1.0\nPR = r0\nnonsense\n")
	write("noversion/packages/all-poky-linux/a/a/latest", "PKGV = 1.0\n")
	for name, want := range map[string]string{
		"empty":     "empty is no feed: it has neither Packages nor repodata, no packages, and it is no buildhistory",
		"none":      "reading none: no such file or directory",
		"outside":   "outside/repodata/repomd.xml: it names an index outside of its folder",
		"noprimary": "it names no index of packages",
		"noxml":     "noxml/repodata/repomd.xml: it is no index of a repository",
		"history":   `latest:3: "nonsense" sets nothing`,
		"noversion": "latest: it sets no PV or no PR",
	} {
		err := feed.Read(context.Background(), filepath.Join(folder, name), feed.Options{}, func(*feed.Package) error { return nil })
		if got := strings.ReplaceAll(fmt.Sprint(err), folder+"/", ""); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got error %q, want one with %q", name, got, want)
		}
	}
	err := feed.Read(context.Background(), filepath.Join(folder, "history"), feed.Options{History: true}, nil)
	if got := fmt.Sprint(err); !strings.Contains(got, "reading the history of ") || strings.Contains(got, "\n") {
		t.Errorf("no history: got error %q", got)
	}
}

// A number that has too many digits is left out, but not in silence.
func TestReadTellsOfNumbersThatAreTooLong(t *testing.T) {
	long := strings.Repeat("9", 19)
	for about, test := range map[string]struct {
		text string
		want []string
	}{
		"of a package":        {"Package: a\nVersion: 1-r0." + long + "\nOE: a\n", []string{"Packages:1: package a has the version 1-r0." + long + ": no PR server has given out " + long + ", so this number is left out"}},
		"behind a dot":        {"Package: a\nVersion: 1-r0.7." + long + "\nOE: a\n", []string{"no PR server has given out 7." + long + ", "}},
		"in place of AUTOINC": {"Package: a\nVersion: 1+git" + long + "+0123456789-r0.1\nOE: a\n", []string{"no PR server has given out " + long + ", "}},
		"a long PR":           {"Package: a\nVersion: 1-r0." + long + ".7\nOE: a\n", nil},
		"the greatest":        {"Package: a\nVersion: 1-r0.9223372036854775807\nOE: a\n", nil},
		"a long PV":           {"Package: a\nVersion: " + long + "-r0.1\nOE: a\n", nil},
		"many":                {strings.Repeat("Package: a\nVersion: 1-r0."+long+"\nOE: a\n\n", 12), []string{":1: ", ":5: ", ":9: ", ":13: ", ":17: ", ":21: ", ":25: ", ":29: ", ":33: ", ":37: ", "other packages with numbers that no PR server has given out: 2"}},
	} {
		path := filepath.Join(t.TempDir(), "Packages")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var warnings []string
		read(t, path, feed.Options{Warn: func(line string) { warnings = append(warnings, line) }})
		if len(warnings) != len(test.want) {
			t.Errorf("%s: got %d warnings, want %d: %q", about, len(warnings), len(test.want), warnings)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(warnings[i], want) {
				t.Errorf("%s: got %q, want one with %q", about, warnings[i], want)
			}
		}
	}
}

func TestReadForeignPackages(t *testing.T) {
	mixed := good + "Package: vendor-tool\nVersion: 2-r0.3\nArchitecture: all\nSource: vendor (2)\n\nPackage: other\nVersion: 2-r0.4\nArchitecture: all\n"
	path := filepath.Join(t.TempDir(), "Packages")
	if err := os.WriteFile(path, []byte(mixed), 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	warn := func(line string) { warnings = append(warnings, line) }
	if packages, _ := read(t, path, feed.Options{Warn: warn}); len(packages) != 1 {
		t.Errorf("got %d packages, want 1", len(packages))
	}
	if len(warnings) != 2 || !strings.HasSuffix(warnings[0], "Packages:6: package vendor-tool names no recipe and is left out") {
		t.Errorf("got warnings %q", warnings)
	}
	for about, test := range map[string]struct{ text, want string }{
		"more than have lines": {mixed + strings.Repeat("\nPackage: more\nVersion: 2-r0.4\nArchitecture: all\n", 20), "other packages that name no recipe are left out: 12"},
		"before the first one": {"Package: other\nVersion: 2-r0.4\nArchitecture: all\n\n" + good, "packages that name no recipe are left out: 1, the first of them "},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		warnings = nil
		read(t, path, feed.Options{Warn: warn})
		if len(warnings) == 0 || !strings.HasPrefix(warnings[len(warnings)-1], test.want) {
			t.Errorf("%s: got warnings %q", about, warnings)
		}
	}
	if err := os.WriteFile(path, []byte(mixed), 0o600); err != nil {
		t.Fatal(err)
	}
	packages, _ := read(t, path, feed.Options{AllPackages: true})
	if len(packages) != 3 || packages[1].Recipe != "vendor" || packages[2].Recipe != "other" {
		t.Errorf("all packages: got %d", len(packages))
	}
	if packages, _ := read(t, feeds+"foreign/Packages", feed.Options{AllPackages: true}); len(packages) < 2 {
		t.Errorf("Debian's: got %d packages", len(packages))
	}
}
