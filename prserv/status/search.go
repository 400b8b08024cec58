package status

import (
	"context"
	"slices"
	"strings"

	"prserver/prserv/history"
)

// found is what a search has found.
type found struct {
	Packages []string `json:"packages"` // names
	Complete bool     `json:"complete"` // there are no more
}

// search returns the packages whose names begin with a text.
func (s *Status) search(ctx context.Context, text string) (found, error) {
	f := found{Packages: []string{}, Complete: true}
	text = strings.TrimPrefix(text, history.AutoInc)
	for _, prefix := range []string{text, history.AutoInc + text} {
		versions, err := s.config.Values.Versions(ctx, prefix, after(prefix), mostVersions)
		if err != nil {
			return found{}, err
		}
		f.Complete = f.Complete && len(versions) < mostVersions
		for _, version := range versions {
			if strings.HasPrefix(strings.TrimPrefix(version, history.AutoInc), text) { // AUTOINC- itself begins with A
				f.Packages = append(f.Packages, history.PackageOf(version))
			}
		}
	}
	slices.Sort(f.Packages)
	f.Packages = slices.Compact(f.Packages)
	return f, nil
}

// has tells whether a package, or a version, has values.
func (s *Status) has(ctx context.Context, name string) (bool, error) {
	l := &lookup{Name: name}
	own, err := s.versionsOf(ctx, l)
	return len(own) > 0, err
}
