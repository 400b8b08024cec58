package status

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"
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

func answer(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		say(w, http.StatusInternalServerError, oneLine(err.Error()))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(text, '\n'))
}
