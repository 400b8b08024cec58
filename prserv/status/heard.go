package status

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"prserver/prserv/history"
)

const (
	// keptTroubles and keptWarnings are how many are remembered.
	keptTroubles = 100
	keptWarnings = 30
	// maxDetails is how many attributes of a record are remembered.
	maxDetails = 12
)

// Heard remembers the last warnings and errors of a log. The zero Heard has
// heard nothing.
type Heard struct {
	mu                 sync.Mutex
	warnings, troubles ring[Said] // guarded by mu
}

// Said is a record of a log.
type Said struct {
	Time    time.Time `json:"time"` // UTC
	Text    string    `json:"text"`
	Details []Detail  `json:"details"`
}

// Detail is what a record says beside its text, such as a client's address.
type Detail struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Detail returns a detail by its name; empty if there is none.
func (s Said) Detail(name string) string {
	for _, d := range s.Details {
		if d.Name == name {
			return d.Text
		}
	}
	return ""
}

// Listen returns a logger that hands on to log, and lets h hear.
func (h *Heard) Listen(log *slog.Logger) *slog.Logger {
	return slog.New(&listening{Handler: log.Handler(), heard: h})
}

// listening is a handler that lets somebody else hear what it hands on.
type listening struct {
	slog.Handler
	heard *Heard
	attrs []slog.Attr
}

// Enabled takes warnings also where the log leaves them out.
func (l *listening) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || l.Handler.Enabled(ctx, level)
}

func (l *listening) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		l.heard.add(r, l.attrs)
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

func (l *listening) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)
	return &listening{l.Handler.WithAttrs(attrs), l.heard, all}
}

func (l *listening) WithGroup(name string) slog.Handler {
	return &listening{l.Handler.WithGroup(name), l.heard, l.attrs}
}

func (h *Heard) add(r slog.Record, attrs []slog.Attr) {
	said := Said{Time: r.Time.UTC().Truncate(time.Millisecond), Text: strings.Clone(history.CutText(r.Message, maxDetail)), Details: []Detail{}}
	add := func(a slog.Attr) bool {
		if a.Key == "stack" { // it is long, and in the log
			return true
		}
		text, limit := a.Value.Resolve().String(), maxDetail
		switch a.Key {
		case "version":
			limit = maxName
		case "client":
			if host, _, err := net.SplitHostPort(text); err == nil {
				text = host
			}
		}
		said.Details = append(said.Details, Detail{a.Key, strings.Clone(history.CutText(text, limit))})
		return len(said.Details) < maxDetails
	}
	for _, a := range attrs {
		add(a)
	}
	r.Attrs(add)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.warnings.size, h.troubles.size = keptWarnings, keptTroubles
	if r.Level >= slog.LevelError {
		h.troubles.add(said)
	} else {
		h.warnings.add(said)
	}
}

// said returns the warnings and the errors, the newest first.
func (h *Heard) said() (warnings, troubles []Said) {
	if h == nil {
		return []Said{}, []Said{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.warnings.newest(), h.troubles.newest()
}

// serveTroubles answers what the log had, the newest first.
func (s *Status) serveTroubles(w http.ResponseWriter, _ *http.Request) {
	warnings, troubles := s.config.Heard.said()
	answer(w, struct {
		Warnings []Said `json:"warnings"`
		Troubles []Said `json:"troubles"`
	}{warnings, troubles})
}
