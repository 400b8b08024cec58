package status

import (
	"context"
	"errors"
	"net/http"
	"strconv"
)

// maxLookups is how many lookups may read at a time. They share the readers of
// the database with exports and dumps.
const maxLookups = 2

// errBusy is returned where a lookup has not ended in time.
var errBusy = errors.New("the server is busy with other pages, dumps or exports; try again in a moment")

// bounded calls look with a context that ends in time, when its turn comes.
func (s *Status) bounded(r *http.Request, look func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	err := s.inTurn(ctx, look)
	if errors.Is(err, context.DeadlineExceeded) {
		return errBusy
	}
	return err
}

func (s *Status) inTurn(ctx context.Context, look func(ctx context.Context) error) error {
	select {
	case s.lookups <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.lookups }()
	return look(ctx)
}

// packageAsked looks up the package of a request.
func (s *Status) packageAsked(r *http.Request) (l *lookup, err error) {
	page, _ := strconv.Atoi(r.FormValue("page")) // the first one if it is none
	err = s.bounded(r, func(ctx context.Context) error {
		l, err = s.lookUp(ctx, r.PathValue("name"), page)
		return err
	})
	return l, err
}

// servePackage answers what is known of a package.
func (s *Status) servePackage(w http.ResponseWriter, r *http.Request) {
	l, err := s.packageAsked(r)
	if err != nil {
		say(w, codeOf(err), oneLine(err.Error()))
		return
	}
	answer(w, l)
}

// servePackages answers the packages whose names begin with a text.
func (s *Status) servePackages(w http.ResponseWriter, r *http.Request) {
	f, err := s.searched(r)
	if err != nil {
		say(w, codeOf(err), oneLine(err.Error()))
		return
	}
	answer(w, f)
}

// searched searches for the name of a request.
func (s *Status) searched(r *http.Request) (f found, err error) {
	err = s.bounded(r, func(ctx context.Context) error {
		f, err = s.search(ctx, r.FormValue("name"))
		return err
	})
	return f, err
}

// codeOf returns the HTTP status of an error.
func codeOf(err error) int {
	switch {
	case errors.Is(err, errBusy):
		return http.StatusServiceUnavailable
	case errors.Is(err, errBegunAnew):
		return http.StatusGone
	}
	return http.StatusInternalServerError
}
