package status

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"prserver/prserv/history"
)

const (
	// usualEvents is how many events are told where nobody says how many.
	usualEvents = 1000
	// mostEvents is how many are told at most: they are held in memory.
	mostEvents = 10000
)

// state is what /api/v1/status answers.
type state struct {
	identity
	activity

	Since       time.Time   `json:"since"`
	File        string      `json:"file"`
	Bytes       int64       `json:"bytes"`
	Ready       bool        `json:"ready"`
	Reason      string      `json:"reason"` // why it is not ready
	Connections connections `json:"connections"`
	History     bool        `json:"history"` // whether one is kept
	// HistoryReason says why none is kept, or why it is not written now, and
	// HistoryDropped how many events are missing in it since the start.
	HistoryReason  string `json:"history_reason"`
	HistoryDropped int64  `json:"history_dropped"`
}

// identity says what a server is.
type identity struct {
	Address  string `json:"address"` // of PR clients
	ReadOnly bool   `json:"read_only"`
	Upstream string `json:"upstream"`
	Version  string `json:"version"` // of the program
	Revision string `json:"revision"`
}

// activity says what it does.
type activity struct {
	LogBytes    int64             `json:"log_bytes"`   // of the write-ahead log beside the file
	Generations []generationCalls `json:"generations"` // that have called
	Minutes     []minute          `json:"minutes"`     // of the last hour, the newest first
}

type connections struct {
	XMLRPC    int `json:"xmlrpc"`
	JSONLines int `json:"jsonlines"`
	Silent    int `json:"silent"`
}

// state looks at everything now.
func (s *Status) state() state {
	cfg := &s.config
	who := identity{cfg.Address, cfg.ReadOnly, cfg.Upstream, version(), revision()}
	does := activity{int64(sizeOf(cfg.File + "-wal")), s.figures.calls(), s.rates.hour(time.Now(), s.figures.totals())}
	now := state{identity: who, activity: does,
		Since: s.begun.UTC().Truncate(time.Second), File: s.config.File, Bytes: int64(sizeOf(s.config.File)),
		Ready: true, History: s.config.History != ""}
	if err := s.config.Ready(); err != nil {
		now.Ready, now.Reason = false, oneLine(err.Error())
	}
	if s.config.HistoryState != nil {
		now.HistoryDropped = s.config.HistoryState().Dropped
	}
	now.HistoryReason = cmp.Or(s.whyNoHistory(), s.whyHistoryStopped())
	now.Connections.XMLRPC, now.Connections.JSONLines, now.Connections.Silent = s.config.Connections()
	return now
}

// whyNoHistory returns the reason why no history is kept; empty if one is.
func (s *Status) whyNoHistory() string {
	switch {
	case s.config.History != "":
		return ""
	case s.config.ReadOnly:
		return "a read-only server keeps no history; ask the server that writes the values"
	}
	return "no history is kept; start the server with --history FILE"
}

// whyHistoryStopped returns the reason why the history is not written now; empty if
// it is, or none is kept.
func (s *Status) whyHistoryStopped() string {
	if s.config.HistoryState == nil {
		return ""
	}
	if err := s.config.HistoryState().Trouble; err != nil {
		return oneLine(err.Error())
	}
	return ""
}

func (s *Status) serveState(w http.ResponseWriter, _ *http.Request) { answer(w, s.state()) }

// serveHistory answers the events that the query chooses, the oldest first.
func (s *Status) serveHistory(w http.ResponseWriter, r *http.Request) {
	if reason := s.whyNoHistory(); reason != "" {
		say(w, http.StatusNotFound, reason)
		return
	}
	f, err := filterOf(r)
	if err != nil {
		say(w, http.StatusBadRequest, oneLine(err.Error()))
		return
	}
	events := []history.Event{}
	err = history.Read(r.Context(), s.config.History, f, func(e history.Event) error {
		events = append(events, e)
		return nil
	})
	if err != nil {
		say(w, http.StatusInternalServerError, oneLine(err.Error()))
		return
	}
	answer(w, struct {
		Events []history.Event `json:"events"`
	}{events})
}

// filterOf reads which events a query wants.
func filterOf(r *http.Request) (f history.Filter, err error) {
	query := r.URL.Query()
	f = history.Filter{Version: query.Get("version"), Last: usualEvents}
	if text := query.Get("since"); text != "" {
		if f.Since, err = time.Parse(time.RFC3339, text); err != nil {
			return f, errors.New("since is no time; write it like 2026-11-28T08:30:00Z")
		}
	}
	if text := query.Get("last"); text != "" {
		if f.Last, err = strconv.Atoi(text); err != nil || f.Last < 1 || f.Last > mostEvents {
			return f, fmt.Errorf("last is a number from 1 to %d", mostEvents)
		}
	}
	return f, nil
}

func answer(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		say(w, http.StatusInternalServerError, oneLine(err.Error()))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(text, '\n'))
}
