// Package status shows an operator what a PR server does, over HTTP on a listener
// of its own: whether it lives and can store a value, its figures, and pages for
// a browser that tell what happened and how the value of a package came to be.
// Nothing can be changed there.
//
// Start with [New] and [Status.Serve]. A [Status] is a [prserv.Observer] and a
// [store.Observer]; that is all it knows of calls. What is stored it reads by
// [Values], and what was logged it hears by [Heard]. The pages are in page.go and
// html.
package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"prserver/prserv/access"
	"prserver/prserv/history"
)

// Config is what a [Status] needs.
type Config struct {
	// File is the database file, whose size is told. With PostgreSQL it is the
	// URL of the database.
	File string
	// PostgreSQL tells how the server gets on with its PostgreSQL; nil if the
	// database is a file.
	PostgreSQL PostgreSQL
	// History is the file of the history, or empty if none is kept.
	History string
	// HistoryState returns how the history is doing; nil if none is kept.
	HistoryState func() history.State
	// Ready returns the reason why no value could be stored now, or nil. It must
	// not wait.
	Ready func() error
	// Connections returns how many connections of PR clients are open, by what
	// they speak: XML-RPC, JSON lines, and nothing yet.
	Connections func() (xml, json, silent int)
	// Allow says from where requests are served; from everywhere if it is empty.
	Allow access.List
	// Log has what goes wrong with the listener, and whom it refuses.
	Log *slog.Logger

	// Address is where PR clients call, ReadOnly whether they can only ask for
	// what is known, and Upstream the server whose values are followed, or empty.
	Address  string
	ReadOnly bool
	Upstream string
	// Values reads what is stored.
	Values Values
	// Heard has what the log said; nil if nobody listened.
	Heard *Heard
}

// PostgreSQL tells how a server gets on with its PostgreSQL. None of it waits.
type PostgreSQL interface {
	Connected() bool // it has answered when it was last asked
	Retries() int64  // how often something was tried again
	Timeline() int64 // how often another one has taken over, plus 1; 0 is unknown
}

// Status counts what a server does, and tells it to whoever asks.
type Status struct {
	config  Config
	begun   time.Time
	lookups chan struct{} // an element for each lookup under way
	rates   rates
	newest  newest
	figures *figures
	handler http.Handler
	hourly  access.Hourly
}

const (
	// maxConns is how many connections may be open at a time. Others wait in the
	// listener: the descriptors are for PR clients. So none is kept open between
	// requests: a few browsers would keep /readyz from being answered.
	maxConns = 16
	// requestTimeout bounds the time for a request. Whoever asks for /readyz waits
	// longer than that.
	requestTimeout = 3 * time.Second
	// answerTimeout bounds the time for an answer.
	answerTimeout = 10 * time.Second
	// maxHeader bounds a request. The longest name that has a page takes three
	// characters a byte.
	maxHeader = 3*maxName + 16<<10
)

// New returns a status of a server that begins now.
func New(cfg Config) *Status {
	s := &Status{config: cfg, begun: time.Now(), lookups: make(chan struct{}, maxLookups)}
	s.figures = newFigures(s)
	s.rates = rates{begun: s.begun, minutes: ring[minute]{size: keptMinutes}}
	s.newest.ring.size = keptValues
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	mux.HandleFunc("GET /api/v1/status", s.serveState)
	mux.HandleFunc("GET /api/v1/history", s.serveHistory)
	mux.HandleFunc("GET /api/v1/values", s.serveValues)
	mux.HandleFunc("GET /api/v1/troubles", s.serveTroubles)
	mux.HandleFunc("GET /api/v1/packages", s.servePackages)
	mux.HandleFunc("GET /api/v1/package/{name...}", s.servePackage)
	mux.HandleFunc("GET /{$}", s.serveStatusPage)
	mux.HandleFunc("GET /search", s.serveSearchPage)
	mux.HandleFunc("GET /package/{name...}", s.servePackagePage)
	mux.HandleFunc("GET /style.css", serveStyle)
	mux.HandleFunc("GET /icon.svg", serveIcon)
	s.handler = guard(mux)
	return s
}

// ServeHTTP answers a request.
func (s *Status) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// guard sets what every answer has: nobody is to keep it, and a browser is to
// load nothing from elsewhere.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// Serve answers the requests of a listener until ctx ends, and closes it. It
// waits for nobody then: whoever asks again gets the answer from the next server.
func (s *Status) Serve(ctx context.Context, ln net.Listener) error {
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go s.watch(watching)
	server := &http.Server{
		Handler: s, ReadTimeout: requestTimeout, WriteTimeout: answerTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false)
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(newLimited(s.guarded(ln), maxConns))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the status at %s: %w", ln.Addr(), err)
}

// serveHealth says that the process answers. It looks at nothing.
func (s *Status) serveHealth(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") }

// Ready is the line that /readyz answers where a value could be stored.
const Ready = "ready"

// serveReady says whether a value could be stored now.
func (s *Status) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := s.config.Ready(); err != nil {
		say(w, http.StatusServiceUnavailable, oneLine(err.Error()))
		return
	}
	say(w, http.StatusOK, Ready)
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// oneLine makes one line of a text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
}
