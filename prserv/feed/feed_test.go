package feed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prserver/prserv/feed"
)

// feeds are those that programs of package managers have made.
const feeds = "../../testdata/feeds/"

// known are the keys that a database would know of the packages in feeds.
var known = []string{
	"base-files-3.0.14-r89 qemux86_64 12",
	"bash-5.2.21-r0 core2-64 7",
	"busybox-1.36.1-r0 core2-64 7.1",
	"dhcp-1_4.4.3-r2 core2-64 3",
	"lib32-zlib-1.3.1-r0 x86 4",
	"luna-2.0-rc1-r1 core2-64 8",
	"tzdata-2024a-r0 all 2",
	"weston-13.0.0+gitAUTOINC+0123456789-r0 core2-64 9",
	"AUTOINC-weston-13.0.0+git core2-64 5",
}

// read returns the packages of a feed, and all likely readings as known has
// them, each once.
func read(t *testing.T, name string, o feed.Options) (packages []*feed.Package, likely []string) {
	t.Helper()
	err := feed.Read(context.Background(), name, o, func(p *feed.Package) error {
		packages = append(packages, p)
		for _, r := range p.Readings() {
			line := fmt.Sprintf("%s %s %s", r.Version, r.Pkgarch, r.Value)
			if r.Likely && !slices.Contains(likely, line) {
				likely = append(likely, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return packages, likely
}

func TestReadFeeds(t *testing.T) {
	for _, test := range []struct {
		name   string
		format feed.Format
		count  int
	}{
		{"ipk", feed.Ipk, 10},
		{"deb", feed.Deb, 10},
		{"rpm", feed.Rpm, 10},
		{"rpm/repodata", feed.Rpm, 10},
		{"rpm/repodata/primary.xml.gz", feed.Rpm, 10},
		{"rpm-zst/primary.xml.zst", feed.Rpm, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			packages, likely := read(t, feeds+test.name, feed.Options{Warn: func(line string) { t.Errorf("warning: %s", line) }})
			if len(packages) != test.count {
				t.Errorf("got %d packages, want %d", len(packages), test.count)
			}
			for _, p := range packages {
				if p.Format != test.format {
					t.Errorf("%s: got format %s, want %s", p.Where(), p.Format, test.format)
				}
				if !strings.HasPrefix(p.File, feeds+test.name) || p.Line == 0 {
					t.Errorf("%s is at %s", p.Name, p.Where())
				}
			}
			for _, want := range known {
				if !slices.Contains(likely, want) {
					t.Errorf("no likely reading is %q; there are\n%s", want, strings.Join(likely, "\n"))
				}
			}
		})
	}
}

func TestReadSinglePackages(t *testing.T) {
	packages, likely := read(t, feeds+"single", feed.Options{})
	var names []string
	for _, p := range packages {
		names = append(names, string(p.Format)+" "+p.Name+" "+p.FullVersion()+" "+p.Arch)
	}
	want := []string{
		"deb base-files 3.0.14-r89.12 qemux86_64",
		"ipk tzdata 2024a-r0.2 all",
		"ipk dhcp-client 1:4.4.3-r2.3 core2-64",
		"rpm weston 13.0.0+git5+0123456789-r0.9 core2_64",
		"rpm tzdata 2024a-r0.2 all",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	for _, i := range []int{0, 3, 6, 7, 8} {
		if !slices.Contains(likely, known[i]) {
			t.Errorf("no likely reading is %q; there are\n%s", known[i], strings.Join(likely, "\n"))
		}
	}
}

// A feed may be made of links, to packages and to folders. One to itself is read
// as often as folders may be within another.
func TestReadLinks(t *testing.T) {
	target, err := filepath.Abs(feeds + "single")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(target, "rpm"), "rpm")
	link(filepath.Join(target, "rpm", "noarch", "tzdata-2024a-r0.2.noarch.rpm"), "one.rpm")
	link("gone", "notes.txt")
	if packages, _ := read(t, folder, feed.Options{}); len(packages) != 3 {
		t.Errorf("got %d packages, want 3", len(packages))
	}
	link(".", "self")
	if packages, _ := read(t, folder, feed.Options{}); len(packages) < 3 {
		t.Errorf("got %d packages, want 3 or more", len(packages))
	}
	link("gone", "gone.rpm")
	err = feed.Read(t.Context(), folder, feed.Options{}, func(*feed.Package) error { return nil })
	if want := "reading " + filepath.Join(folder, "gone.rpm") + ": no such file or directory"; fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestReadBuildhistory(t *testing.T) {
	_, likely := read(t, feeds+"buildhistory/build-1", feed.Options{})
	want := []string{
		"tzdata-2024a-r0 all 2",
		"bash-5.2.21-r0 core2-64 7",
		"libdrm-2.4+git-r0 core2-64 9",
		"AUTOINC-libdrm-2.4+git- core2-64 5",
		"AUTOINC-libdrm-2.4+git-r core2-64 5",
		"weston-13.0.0+gitAUTOINC+0123456789-r0 core2-64 9",
		"AUTOINC-weston-13.0.0+git core2-64 5",
		"kernel-1_6.6.9-r0.1 qemux86_64 3",
		"lib32-zlib-1.3.1-r0 x86 4",
	}
	if !slices.Equal(likely, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(likely, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadHistory(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this machine has no git, which makes the history")
	}
	repository := t.TempDir()
	folder := filepath.Join(repository, "buildhistory")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repository, "-c", "user.name=buildhistory", "-c", "user.email=buildhistory@poky"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	for _, build := range []string{"build-1", "build-2", "build-1"} { // somebody goes back
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(folder, os.DirFS(feeds+"buildhistory/"+build)); err != nil {
			t.Fatal(err)
		}
		git("add", "-A")
		git("commit", "-q", "-m", build)
	}
	_, latest := read(t, folder, feed.Options{})
	_, all := read(t, folder, feed.Options{History: true})
	for _, test := range []struct {
		line          string
		latest, inAll bool
	}{
		{"bash-5.2.21-r0 core2-64 7", true, true},
		{"bash-5.2.21-r0 core2-64 8", false, true},
		{"AUTOINC-weston-13.0.0+git core2-64 6", false, true},
	} {
		if got := slices.Contains(latest, test.line); got != test.latest {
			t.Errorf("%s among the latest: got %v, want %v", test.line, got, test.latest)
		}
		if got := slices.Contains(all, test.line); got != test.inAll {
			t.Errorf("%s in the history: got %v, want %v", test.line, got, test.inAll)
		}
	}

	// One that the repository ignores has no history, though git reads it.
	ignored := filepath.Join(repository, "ignored")
	if err := os.CopyFS(ignored, os.DirFS(feeds+"buildhistory/build-1")); err != nil {
		t.Fatal(err)
	}
	err := feed.Read(context.Background(), ignored, feed.Options{History: true}, nil)
	if want := "reading the history of " + ignored + ": no commit has one of its packages"; fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestReadAddress(t *testing.T) {
	var hang func()
	files := http.FileServer(http.Dir(feeds))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hang") {
			hang()
			return
		}
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	for _, test := range []struct {
		path  string
		count int
	}{
		{"/rpm", 10}, {"/rpm/", 10}, {"/rpm/repodata/primary.xml.gz", 10}, {"/ipk/core2-64", 6},
		{"/deb/qemux86_64/Packages.gz", 1}, {"/single/rpm/noarch/tzdata-2024a-r0.2.noarch.rpm", 1},
	} {
		packages, _ := read(t, server.URL+test.path, feed.Options{})
		if len(packages) != test.count {
			t.Errorf("%s: got %d packages, want %d", test.path, len(packages), test.count)
		}
	}
	packages, _ := read(t, server.URL+"/deb/qemux86_64", feed.Options{})
	if got := packages[0]; got.Arch != "qemux86_64" || got.Mangled != 0 {
		t.Errorf("the folder's name gives the architecture %s, mangled %q", got.Arch, got.Mangled)
	}

	end := make(chan struct{})
	hang = func() { <-end }
	defer close(end)
	secret := strings.Replace(server.URL, "http://", "http://user:secret@", 1)
	for _, test := range []struct {
		name string
		o    feed.Options
		want string
	}{
		{server.URL + "/none", feed.Options{}, "has neither Packages, Packages.gz nor repodata/repomd.xml"},
		{server.URL + "/none/Packages.gz", feed.Options{}, "the server has no such file"},
		{secret + "/none/Packages.gz", feed.Options{}, "user:xxxxx@"},
		{server.URL + "/rpm/repodata/primary.xml.gz", feed.Options{MaxFile: 100}, "primary.xml.gz: it is larger than a feed can be"},
		{server.URL + "/hang/Packages", feed.Options{Timeout: time.Millisecond}, "nothing has come for 1ms"},
		{"http://", feed.Options{}, `"http://" is no address of a server`},
	} {
		err := feed.Read(context.Background(), test.name, test.o, func(*feed.Package) error { return nil })
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestReadStandardInput(t *testing.T) {
	file, err := os.Open(feeds + "deb/core2-64/Packages.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	packages, _ := read(t, "-", feed.Options{Stdin: file})
	if len(packages) != 6 || packages[0].Where() != "standard input:1" {
		t.Errorf("got %d packages, the first at %s", len(packages), packages[0].Where())
	}
}

// Whoever takes the packages gets his own error back.
func TestReadReturnsErrorOfEach(t *testing.T) {
	mine := errors.New("mine")
	for _, name := range []string{"ipk", "rpm", "single", "buildhistory/build-1"} {
		err := feed.Read(context.Background(), feeds+name, feed.Options{}, func(*feed.Package) error { return mine })
		if err != mine {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"ipk", "rpm", "single"} {
		err := feed.Read(ctx, feeds+name, feed.Options{}, func(*feed.Package) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
