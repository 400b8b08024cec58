package status

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"prserver/prserv/history"
)

//go:embed html
var files embed.FS

// pages are the templates of the pages. All that they write is escaped for where
// it stands.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"show": show, "shortest": shortest, "packageURL": packageURL, "nameOf": history.PackageOf,
	"plural": plural[int], "events": plural[int64], "moment": moment, "bitbake": bitbake, "number": grouped[uint64], "place": grouped[int],
}).ParseFS(files, "html/*.html"))

// frame is what every page has around it.
type frame struct {
	Title  string
	Search string // what is in the search field
	Now    time.Time
	Page   any
}

// write writes a page. It is complete before the first byte is sent.
func write(w http.ResponseWriter, code int, name string, f frame) {
	f.Now = time.Now()
	if show(f.Search) != f.Search { // a field would not show it as it is
		f.Search = ""
	}
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, f); err != nil {
		say(w, http.StatusInternalServerError, oneLine(err.Error()))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(code)
	w.Write(page.Bytes())
}

// writeError writes a page that says why there is none.
func writeError(w http.ResponseWriter, search string, err error) {
	write(w, codeOf(err), "error.html", frame{Title: "No answer", Search: search, Page: oneLine(err.Error())})
}

func serveStyle(w http.ResponseWriter, _ *http.Request) { serveFile(w, "style.css", "text/css") }

func serveIcon(w http.ResponseWriter, _ *http.Request) { serveFile(w, "icon.svg", "image/svg+xml") }

func serveFile(w http.ResponseWriter, name, kind string) {
	content, err := files.ReadFile("html/" + name)
	if err != nil {
		say(w, http.StatusInternalServerError, oneLine(err.Error()))
		return
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Write(content)
}

// pageValues is how many of the newest values the first page shows.
const pageValues = 50

// statusPage is what the first page tells.
type statusPage struct {
	state
	Lasting  string // since it was started
	Size     string // empty with PostgreSQL
	Pictures []picture
	Newest   []history.Event
	Warnings []Said
	Troubles []Said
}

func (s *Status) serveStatusPage(w http.ResponseWriter, _ *http.Request) {
	p := statusPage{state: s.state(), Newest: s.newest.events()}
	p.Newest = p.Newest[:min(pageValues, len(p.Newest))]
	p.Lasting = lasting(time.Since(s.begun))
	if s.config.PostgreSQL == nil {
		p.Size = size(p.Bytes)
	}
	if p.LogBytes > 0 {
		p.Size += ", and " + size(p.LogBytes) + " of write-ahead log"
	}
	p.Pictures = pictures(time.Now(), p.Minutes)
	p.Warnings, p.Troubles = s.config.Heard.said()
	title := "PR server"
	if p.Address != "" {
		title += " " + p.Address
	}
	write(w, http.StatusOK, "status.html", frame{Title: title, Page: p})
}

// packagePage is what the page of a package tells.
type packagePage struct {
	*lookup
	Groups   []rowGroup
	First    int // the number of the first row
	Last     int // and of the last one
	Previous int // pages; 0 is none
	Next     int
}

// rowGroup are the rows of a version and pkgarch.
type rowGroup struct {
	Version, Pkgarch string
	Rows             []valueRow
}

func (s *Status) servePackagePage(w http.ResponseWriter, r *http.Request) {
	l, err := s.packageAsked(r)
	if err != nil {
		writeError(w, r.PathValue("name"), err)
		return
	}
	p := packagePage{lookup: l, First: (l.Page-1)*pageRows + 1, Last: min(l.Page*pageRows, l.Total), Previous: l.Page - 1}
	if l.Page < l.Pages {
		p.Next = l.Page + 1
	}
	for _, row := range l.Rows {
		n := len(p.Groups)
		if n == 0 || p.Groups[n-1].Version != row.Version || p.Groups[n-1].Pkgarch != row.Pkgarch {
			p.Groups = append(p.Groups, rowGroup{Version: row.Version, Pkgarch: row.Pkgarch})
			n++
		}
		p.Groups[n-1].Rows = append(p.Groups[n-1].Rows, row)
	}
	code := http.StatusOK
	if l.Total == 0 {
		code = http.StatusNotFound
	}
	write(w, code, "package.html", frame{Title: show(l.Name), Search: l.Name, Page: p})
}

// searchPage is what a search has found.
type searchPage struct {
	found
	Name string
}

// serveSearchPage goes on to the page of the package that was searched, if there
// is one, and otherwise tells those whose names begin like that.
func (s *Status) serveSearchPage(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSpace(r.FormValue("name"))
	var p searchPage
	err := s.bounded(r, func(ctx context.Context) (err error) {
		if url := packageURL(name); url != "" {
			if has, err := s.has(ctx, name); err != nil {
				return err
			} else if has {
				http.Redirect(w, r, url, http.StatusSeeOther)
				return nil
			}
		}
		p.found, err = s.search(ctx, name)
		p.Name = name
		return err
	})
	switch {
	case err != nil:
		writeError(w, name, err)
	case p.Packages == nil: // it has gone on
	default:
		write(w, http.StatusOK, "search.html", frame{Title: "Search", Search: name, Page: p})
	}
}

// bitbake names the releases of a generation.
func bitbake(generation any) string {
	switch generation {
	case 1, "1":
		return "BitBake up to 1.50"
	case 2, "2":
		return "BitBake 1.52 to 2.8"
	case 3, "3":
		return "BitBake 2.10 or later"
	case "2-3":
		return "BitBake 1.52 or later"
	}
	return ""
}
