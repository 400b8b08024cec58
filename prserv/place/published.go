package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Behind is a published number that a place would give out once more.
type Behind struct {
	Package  string // the first binary package that has the number
	Packages int64  // how many have it
	Full     string // the version of the package
	Where    string // where it was found

	Version, Pkgarch string // the key
	Published        string // the number
	Known            string // the greatest that the place has of the key, or "" if it does not know the key
	// Why says how the version was read, if it can be read in more than one way.
	Why string
}

// MendPublished says how a user raises the numbers that CheckPublished finds.
func (w *Work) MendPublished(p, published Place) string {
	copies := command("copy", published)
	if w.Feeds.AllPackages {
		copies += " --all-packages"
	}
	if w.Feeds.History {
		copies += " --history"
	}
	if p.Kind == Feed {
		return "raise those of the PR server with " + copies + " HOST:PORT, and build these packages anew"
	}
	return "raise them with " + copies + " " + shellWord(p.typed())
}

// CheckPublished calls each with what a feed has published above the numbers of
// a place, in the order of the key, and returns its first error. If the place
// is a feed as well, it is one that is yet to be published: what it does not
// have has been removed or has another version.
func (w *Work) CheckPublished(ctx context.Context, p, published Place, each func(Behind) error) error {
	switch {
	case published.Kind != Feed:
		return fmt.Errorf("%s is no package feed; name one behind --published", published)
	case p == published && p.Name == standard:
		return errors.New("only one of the places can be standard input")
	}
	s, err := openScratch(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	known, err := w.read(ctx, s, p, "checked", readOptions{lenient: true})
	if err != nil {
		return err
	}
	if err := w.stageFeed(ctx, s, published, "feed"); err != nil {
		return err
	}
	if err := s.chooseReadings(ctx, "feed", "published", known); err != nil {
		return err
	}
	needed := isNeeded
	if p.Kind == Feed {
		needed = "greatest IS NOT NULL AND " + needed
	}
	// Where SQLite finds a maximum, the other columns are of its row.
	err = s.walkTable(ctx, known, `SELECT p.name, (SELECT count(DISTINCT name) FROM main.feed_packages AS o WHERE o.release = r.release),
			p.full, p.place, r.version, r.pkgarch, r.value, ifnull(r.greatest, ''), iif(r.among > 1, r.why, ''), min(p.rowid) FROM (
			SELECT *, min(number) FROM (
				SELECT release, auto, version, pkgarch, max(value COLLATE revision) AS value, why, greatest, among, number
				FROM main.published_chosen GROUP BY version, pkgarch HAVING `+needed+`)
			GROUP BY release, auto) AS r
		JOIN main.feed_packages AS p ON p.release = r.release
		GROUP BY r.release, r.auto ORDER BY r.version, r.pkgarch`, nil, func(row []driver.Value) error {
		b := Behind{}
		b.Packages, _ = row[1].(int64)
		for column, to := range map[int]*string{0: &b.Package, 2: &b.Full, 3: &b.Where, 4: &b.Version, 5: &b.Pkgarch,
			6: &b.Published, 7: &b.Known, 8: &b.Why} {
			*to, _ = row[column].(string)
		}
		return each(b)
	})
	if err == nil {
		err = s.settle()
	}
	return err
}
