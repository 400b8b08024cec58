package status_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// page asks for a page or an answer of the server, and returns its text.
func (p *pages) page(t *testing.T, path string, code int) string {
	t.Helper()
	got, body := ask(t, p.status, "GET", path)
	if got != code {
		t.Errorf("GET %s: %d, want %d\n%s", path, got, code, body)
	}
	return body
}

// want fails the test unless a page has some texts, and lacks others, which
// begin with an exclamation mark.
func want(t *testing.T, name, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		lacks, ok := strings.CutPrefix(text, "!")
		if strings.Contains(page, lacks) == ok {
			t.Errorf("%s: has or lacks %q\n%.4000s", name, text, page)
		}
	}
}

// TestStatusPage looks at the page of a new server, and of a busy one.
func TestStatusPage(t *testing.T) {
	p := servePages(t, false)
	want(t, "new", p.page(t, "/", 200), "<h1>192.0.2.1:8585</h1>", "<strong>Ready.</strong>", "reads and writes", "less than a minute",
		"not kept", "No value has been stored", "None since the server", "!<rect", "!<script")
	p.makeBusy(t)
	page := p.page(t, "/", 200)
	want(t, "busy", page, "BitBake up to 1.50: ", "BitBake 1.52 to 2.8: ", "BitBake 2.10 or later: ", `<rect x="`,
		"network file system (nfs)", "database or disk is full: 212 more", `<i>client</i> 192.0.2.9<`,
		`href="/package/systemd"`, `<span class="mark">imported</span> <span class="mark bad">backwards</span>`,
		"&lt;script&gt;alert(1)", "!<script", "!None since the server")
	var values struct{ Values []history.Event }
	if err := json.Unmarshal([]byte(p.page(t, "/api/v1/values", 200)), &values); err != nil || len(values.Values) < 90 {
		t.Errorf("/api/v1/values: %d values, %v", len(values.Values), err)
	} else if first := values.Values[0]; first.Version != "systemd-1_255.4-r0" || first.Generation != 3 || first.Client != "127.0.0.1" {
		t.Errorf("the newest value: %+v", first)
	}
	var said struct{ Warnings, Troubles []status.Said }
	if err := json.Unmarshal([]byte(p.page(t, "/api/v1/troubles", 200)), &said); err != nil || len(said.Warnings) != 1 || len(said.Troubles) != 4 {
		t.Errorf("/api/v1/troubles: %+v, %v", said, err)
	}
	var state struct {
		Minutes     []struct{ Calls, Values, Failed int }
		Generations []struct {
			Generation string
			Calls      int
		}
	}
	if err := json.Unmarshal([]byte(p.page(t, "/api/v1/status", 200)), &state); err != nil || len(state.Minutes) < 60 || len(state.Generations) != 3 {
		t.Errorf("/api/v1/status: %+v, %v", state, err)
	}
	if err := p.DB.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, "closed", p.page(t, "/package/bash", 500), "<h1>No answer</h1>")
}

// TestPackagePage looks at the values of a package, with what a history says.
func TestPackagePage(t *testing.T) {
	p := servePages(t, true)
	get := func(version, checksum string) {
		t.Helper()
		if _, err := p.Client().GetPR(t.Context(), version, "all", checksum); err != nil {
			t.Fatal(err)
		}
	}
	for _, checksum := range []string{"aaa", "bbb", "aaa"} {
		get("make-4.9-r0", checksum)
	}
	get("make-4.10-r0", "ccc")
	get("make-mod-scripts-1.0-r0", "ddd")
	get("AUTOINC-make-4.9+git", "eee")
	for i, value := range []int64{9, 5} {
		if _, err := p.Client().ImportOne(t.Context(), "make-4.9-r0", "all", fmt.Sprint("imported", i), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.past.Close(); err != nil { // it has written all
		t.Fatal(err)
	}
	again := status.New(status.Config{Values: p.DB, History: p.past.File()}) // has nothing in memory
	for name, st := range map[string]*status.Status{"memory": p.status, "history": again} {
		code, body := ask(t, st, "GET", "/api/v1/package/make")
		var got struct {
			Total    int
			Complete bool
			Others   []string
			Rows     []struct {
				Version, Checksum, Value string
				Stored, Greatest         bool
				Given                    *struct {
					Client, Before      string
					Generation          int
					Imported, Backwards bool
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 {
			t.Fatalf("%s: %d %s, %v", name, code, body, err)
		}
		var rows []string
		for _, r := range got.Rows {
			row := fmt.Sprint(r.Version, " ", r.Checksum, " ", r.Value)
			for flag, is := range map[string]bool{" gone": !r.Stored, " greatest": r.Greatest} {
				if is {
					row += flag
				}
			}
			if r.Given == nil || r.Given.Client != "127.0.0.1" || r.Given.Generation != 1 {
				t.Errorf("%s: %s was given: %+v", name, row, r.Given)
			} else if r.Given.Imported {
				row += fmt.Sprint(" imported ", r.Given.Backwards)
			}
			rows = append(rows, row)
		}
		wanted := []string{
			"make-4.10-r0 ccc 0 greatest",
			"make-4.9-r0 imported0 9 greatest imported false",
			"make-4.9-r0 imported1 5 imported true",
			"make-4.9-r0 aaa 2",
			"make-4.9-r0 bbb 1",
			"make-4.9-r0 aaa 0 gone",
			"AUTOINC-make-4.9+git eee 0 greatest",
		}
		if !slices.Equal(rows, wanted) || !got.Complete || !slices.Equal(got.Others, []string{"make-mod-scripts"}) {
			t.Errorf("%s:\n got  %q\n want %q\n others %q", name, rows, wanted, got.Others)
		}
		_, page := ask(t, st, "GET", "/package/make")
		want(t, name, page, `<span class="mark bad">backwards</span>`, "no longer stored", `href="/package/make-mod-scripts"`, "127.0.0.1", "7 rows, ")
		_, page = ask(t, st, "GET", "/package/make-4.10-r0")
		want(t, name, page, "1 row, ", "ccc", "!aaa")
	}
	without := status.New(status.Config{Values: p.DB})
	_, page := ask(t, without, "GET", "/package/make")
	want(t, "no history", page, "6 rows", "a time and a client: no history is kept; start the server with --history FILE.", "not known", "!127.0.0.1")
	broken := status.New(status.Config{Values: p.DB, History: p.DB.Name()})
	_, page = ask(t, broken, "GET", "/package/make")
	want(t, "a history that is none", page, "6 rows", "Times and clients may be missing: reading the history ", "it is no history of PR values")
}

// TestManyRows bounds what a page reads and shows.
func TestManyRows(t *testing.T) {
	p := servePages(t, false)
	rows, packages, more := 2000, 2500, 500
	long := os.Getenv("PRSERV_LONG") != ""
	if long {
		rows, packages, more = 20_000, 50_000, 60_000
	}
	fill(t, p.DB.Name(), "many-1.0-r0", rows)
	fill(t, p.DB.Name(), "more-1.0-r0", more)
	fill(t, p.DB.Name(), "AUTOINC-x-1.0+git", 1)
	prservtest.Execute(t, prservtest.Outside(t, p.DB.Name()), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO `+store.NohistTable+` SELECT printf('zz%%05d-1.0-r0', i), 'all', 'c', 0 FROM n`, packages-1))
	pages := rows / 500
	first := fmt.Sprintf("Rows 1 to 500 of %d,000 rows", rows/1000)
	last := fmt.Sprintf("Rows %d,501 to %d,000 of", rows/1000-1, rows/1000)
	value := func(n int) string { return fmt.Sprintf("<b>%d</b>", n) }
	for _, test := range []struct {
		path  string
		texts []string
	}{
		{"/package/many", []string{first, fmt.Sprintf("Page 1 of %d", pages), `href="?page=2"`, value(rows - 1), value(rows - 500), "!" + value(rows-501), "!Before</a>", "!more than a page"}},
		{fmt.Sprint("/package/many?page=", pages), []string{last, value(0), fmt.Sprintf(`href="?page=%d"`, pages-1), "!Next"}},
		{"/package/many?page=999999", []string{last}},
		{"/package/many?page=-1", []string{first}},
		{"/search?name=zz", []string{"the first ones", ">zz00000<", ">zz01999<", "!>zz02000<"}},
		{"/search?name=zz024", []string{"!the first ones", ">zz02400<", ">zz02499<"}},
		{"/search", []string{">linux-yocto<", ">many<", ">zz00000<"}},
		{"/search?name=Many", []string{"None has a value"}},
		{"/search?name=A", []string{"None has a value"}}, // though AUTOINC- begins with it
	} {
		want(t, test.path, p.page(t, test.path, 200), test.texts...)
	}
	if long {
		want(t, "more", p.page(t, "/package/more", 200), "of 50,000 rows", "more than a page reads")
	}
	want(t, "the api", p.page(t, "/api/v1/packages?name=m", 200), `{"packages":["many","more"],"complete":true}`)
}

// TestOddNames asks for packages with odd names, by links and by searches.
func TestOddNames(t *testing.T) {
	p := servePages(t, true)
	names := []string{hostile, "a%41", "a/b", "a//b/../c", "a+b", "a b", "ä", "a?b#c", "a\x01\u202eb", "\xff\xfe", ".", "..", "-", strings.Repeat("long", 2048)}
	for _, name := range names {
		version := name + "-1.0-r0"
		if _, err := p.DB.GetPR(t.Context(), store.Key{Version: version, Pkgarch: "all", Checksum: "the checksum"}, store.Mode{}); err != nil {
			t.Fatal(err)
		}
		link := "/package/" + url.PathEscape(name)
		if name != "." && name != ".." {
			page := p.page(t, link, 200)
			want(t, link, page, "the checksum", "!\x01", "!\u202e", "!\xff", "!<script")
		}
		page := p.page(t, "/", 200)
		want(t, name, page, "!\x01", "!\u202e", "!\xff", "!<script")
		if linked := strings.Contains(page, `href="`+strings.NewReplacer("&", "&amp;", "'", "%27", "+", "&#43;").Replace(link)+`"`); linked != (name != "." && name != "..") {
			t.Errorf("%q: whether the first page has a link to %s: %v", name, link, linked)
		}
		w := httptest.NewRecorder()
		p.status.ServeHTTP(w, httptest.NewRequest("GET", "/search?name="+url.QueryEscape(name), nil))
		if got := w.Header().Get("Location"); w.Code == 303 && got != link || w.Code != 303 && name != "." && name != ".." {
			t.Errorf("the search for %q: %d, leads to %s, want %s", name, w.Code, got, link)
		}
		if code, _ := ask(t, p.status, "HEAD", link); code != 200 && name != "." && name != ".." {
			t.Errorf("HEAD %s: %d", link, code)
		}
	}
	p.page(t, "/package/none", 404)
	p.page(t, "/package/", 404)
	for _, path := range []string{"/", "/package/a+b", "/search", "/style.css", "/api/v1/values"} {
		if code, _ := ask(t, p.status, "POST", path); code != 405 {
			t.Errorf("POST %s: %d, want 405", path, code)
		}
	}
	// Over TCP, where the length of a request is bounded.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- p.status.Serve(ctx, ln) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	for name, code := range map[string]int{strings.Repeat("long", 2048): 200, strings.Repeat("%FF", 8192): 404, strings.Repeat("x", 50_000): 431} {
		resp, err := http.Get("http://" + ln.Addr().String() + "/package/" + name)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != code {
			t.Errorf("a name of %d bytes: %s, want %d", len(name), resp.Status, code)
		}
	}
}

// TestLookupsInTurn keeps all readers of the pages busy.
func TestLookupsInTurn(t *testing.T) {
	values := &stuckValues{entered: make(chan struct{}), leave: make(chan struct{})}
	st := status.New(status.Config{Values: values, History: filepath.Join(t.TempDir(), "none")})
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			ask(t, st, "GET", "/package/a")
		}()
		<-values.entered
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/package/a", "/api/v1/history"} {
		w := httptest.NewRecorder()
		st.ServeHTTP(w, httptest.NewRequest("GET", path, nil).WithContext(ctx))
		if body := w.Body.String(); w.Code == 200 || !strings.Contains(body, "context canceled") || strings.Contains(body, "reading") {
			t.Errorf("%s did not wait: %d %s", path, w.Code, body)
		}
	}
	close(values.leave)
	waiting.Wait()
}

// stuckValues does not answer until it may.
type stuckValues struct {
	status.Values
	entered, leave chan struct{}
}

func (s *stuckValues) Versions(context.Context, string, string, int) ([]string, error) {
	select {
	case s.entered <- struct{}{}:
		<-s.leave
	case <-s.leave:
	}
	return nil, nil
}
