package status

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"prserver/prserv/history"
)

const (
	// usualEvents is how many events are told where nobody says how many.
	usualEvents = 1000
	// mostEvents is how many are told at most: they are held in memory.
	mostEvents = 5000
	// mostEventText is after how many bytes of texts no more are told: clients may
	// send long ones.
	mostEventText = 1 << 20
)

// eventsPage is what /api/v1/history answers.
type eventsPage struct {
	Events []history.Event `json:"events"` // the oldest first
	// More tells that there are more: behind the last one where after was asked, and
	// else ahead of the first one.
	More bool `json:"more"`
	// Reason says why newer events are missing: the history is not written now.
	Reason string `json:"reason"`
}

// serveHistory answers the events that the query chooses.
func (s *Status) serveHistory(w http.ResponseWriter, r *http.Request) {
	if reason := s.whyNoHistory(); reason != "" {
		say(w, http.StatusNotFound, reason)
		return
	}
	f, limit, err := eventsAsked(r.URL.RawQuery)
	if err != nil {
		say(w, http.StatusBadRequest, oneLine(err.Error()))
		return
	}
	var page eventsPage
	err = s.bounded(r, func(ctx context.Context) (err error) {
		page, err = s.events(ctx, f, limit)
		return err
	})
	if err != nil {
		say(w, codeOf(err), oneLine(err.Error()))
		return
	}
	answer(w, page)
}

// errBegunAnew is returned for an ID that the history has not come to: its file
// has been removed since it told that.
var errBegunAnew = errors.New("the history has no such ID yet: it has begun anew; ask again without after, or with after=0")

// events reads the events of a page.
func (s *Status) events(ctx context.Context, f history.Filter, limit int) (eventsPage, error) {
	page := eventsPage{Events: []history.Event{}, Reason: s.whyHistoryStopped()}
	text := 0
	err := history.Read(ctx, s.config.History, f, func(e history.Event) error {
		if len(page.Events) == limit || text > mostEventText {
			page.More = true
			return errEnough
		}
		text += len(e.Client) + len(e.Method) + len(e.Version) + len(e.Pkgarch) + len(e.Checksum) + len(e.Value) + len(e.Before)
		page.Events = append(page.Events, e)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return eventsPage{}, err
	}
	if f.NewestFirst {
		slices.Reverse(page.Events)
	}
	if f.After > 0 && len(page.Events) == 0 {
		return page, s.reaches(ctx, f.After)
	}
	return page, nil
}

// reaches returns errBegunAnew where the history has no event with an ID or behind
// that.
func (s *Status) reaches(ctx context.Context, id int64) error {
	newest := int64(0)
	err := history.Read(ctx, s.config.History, history.Filter{NewestFirst: true}, func(e history.Event) error {
		newest = e.ID
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if newest < id {
		return errBegunAnew
	}
	return nil
}

// eventsAsked reads which events a query wants, and how many at most.
func eventsAsked(query string) (f history.Filter, limit int, err error) {
	all, err := url.ParseQuery(query)
	if err != nil {
		return f, 0, err
	}
	f.NewestFirst, limit = true, usualEvents
	for name, texts := range all {
		text := texts[0]
		if len(texts) > 1 {
			return f, 0, fmt.Errorf("%s is there twice", show(name))
		}
		switch name {
		case "version":
			f.Version = text
		case "since":
			var ok bool
			if f.Since, ok = history.ParseSince(text, time.Now()); !ok {
				return f, 0, errors.New("since is no time; write it like 2026-11-28, 2026-11-28T08:30:00Z or 7d")
			}
		case "limit":
			if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostEvents {
				return f, 0, fmt.Errorf("limit is no number from 1 to %d", mostEvents)
			}
		case "after":
			if f.After, err = strconv.ParseInt(text, 10, 64); err != nil || f.After < 0 {
				return f, 0, errors.New("after is no ID of an event, or 0")
			}
			f.NewestFirst = false
		case "before":
			if f.Before, err = strconv.ParseInt(text, 10, 64); err != nil || f.Before < 1 {
				return f, 0, errors.New("before is no ID of an event")
			}
		default:
			return f, 0, fmt.Errorf("there is no parameter %s; there are version, since, limit, after and before", show(name))
		}
	}
	if all.Has("after") && all.Has("before") {
		return f, 0, errors.New("after and before do not go together")
	}
	return f, limit, nil
}
