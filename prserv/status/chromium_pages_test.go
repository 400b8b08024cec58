package status_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// screenshots returns the folder that PRSERV_SCREENSHOTS names, which keeps the
// screenshots; without it they go away with the test.
func screenshots(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("PRSERV_SCREENSHOTS")
	if folder == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}

// views are the windows in which each page is looked at.
var views = []struct {
	name  string
	width int
	dark  bool
}{{"desktop", 1280, false}, {"desktop-dark", 1280, true}, {"phone", 360, false}, {"phone-dark", 360, true}}

// TestChromium loads every page of a new server and of a busy one, follows links,
// and searches.
func TestChromium(t *testing.T) {
	p := servePages(t, true)
	web := httptest.NewServer(p.status)
	defer web.Close()
	b := openBrowser(t, web.URL)
	folder := screenshots(t)
	look := func(name, path string) {
		t.Helper()
		for _, view := range views {
			b.look(view.width, view.dark)
			b.visit(path)
			b.screenshot(folder, name+"-"+view.name)
		}
	}
	look("new", "/")
	p.makeBusy(t)
	look("busy", "/")
	look("package", "/package/openssl")
	look("many", "/package/linux-yocto")
	look("search", "/search?name=lib")
	look("none", "/package/"+strings.Repeat("a-very-long-name-", 30))

	// From the first page to a package, and back.
	b.visit("/")
	b.click(`table a[href="/package/bash"]`)
	if got := b.eval(`document.querySelector("h1").textContent`); got != "bash" {
		t.Errorf("the link leads to %q", got)
	}
	b.click(`.home`)
	b.visit("/package/linux-yocto")
	b.click(`a[rel="next"]`)
	if got := b.eval(`document.querySelector(".paging span").textContent`); !strings.HasPrefix(got.(string), "Page 2 of ") {
		t.Errorf("the link leads to %q", got)
	}
	// A name is typed into the field, and is what it is wherever it is shown.
	for _, name := range []string{"bash", hostile} {
		b.visit("/")
		b.eval(`document.querySelector("input").focus()`)
		b.call("Input.insertText", map[string]any{"text": name}, nil)
		b.click(`form button`)
		if got := b.eval(`document.querySelector("h1").textContent`); got != name {
			t.Errorf("the search for %q leads to %q", name, got)
		}
		if got := b.eval(`document.querySelector("h2").textContent`); !strings.HasPrefix(got.(string), name+"-1.0-r0 ") && name == hostile {
			t.Errorf("%q has the versions %q", name, got)
		}
		if n := b.eval(`document.querySelectorAll("script").length`); n != 0.0 {
			t.Errorf("%s: %v scripts", name, n)
		}
	}
	b.screenshot(folder, "script")
}
