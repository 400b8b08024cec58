package status

import (
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
	Since       time.Time   `json:"since"`
	File        string      `json:"file"`
	Bytes       int64       `json:"bytes"`
	Ready       bool        `json:"ready"`
	Reason      string      `json:"reason"` // why it is not ready
	Connections connections `json:"connections"`
	History     bool        `json:"history"` // whether one is kept
}

type connections struct {
	XMLRPC    int `json:"xmlrpc"`
	JSONLines int `json:"jsonlines"`
	Silent    int `json:"silent"`
}

func (s *Status) serveState(w http.ResponseWriter, _ *http.Request) {
	now := state{Since: s.begun.UTC().Truncate(time.Second), File: s.config.File, Bytes: int64(sizeOf(s.config.File)),
		Ready: true, History: s.config.History != ""}
	if err := s.config.Ready(); err != nil {
		now.Ready, now.Reason = false, oneLine(err.Error())
	}
	now.Connections.XMLRPC, now.Connections.JSONLines, now.Connections.Silent = s.config.Connections()
	answer(w, now)
}

// serveHistory answers the events that the query chooses, the oldest first.
func (s *Status) serveHistory(w http.ResponseWriter, r *http.Request) {
	if s.config.History == "" {
		say(w, http.StatusNotFound, "no history is kept; start the server with --history FILE")
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
