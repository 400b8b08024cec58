package postgres

import (
	"context"
	"math"
)

// Raised is what [RaiseTwins] has done.
type Raised struct {
	Versions int64 // versions and pkgarchs that had twins
	Rows     int64 // checksums that got a value of their own
	Left     int64 // checksums that keep a shared value, because there is none above it
}

const (
	sqlLockTied = `SELECT count(*) FROM (SELECT 1 FROM prgroup WHERE holder IS NULL ORDER BY version, pkgarch FOR NO KEY UPDATE) AS locked`
	// sqlTwinsRaised finds the twins but the first of each version and pkgarch,
	// and numbers above theirs.
	sqlTwinsRaised = `CREATE TEMP TABLE raised ON COMMIT DROP AS
		SELECT group_id, checksum, was, CASE WHEN was[1] <= %d - above THEN ARRAY[was[1] + above] END AS value FROM (
			SELECT w.group_id, w.checksum, w.value AS was, row_number() OVER (PARTITION BY w.group_id ORDER BY w.stored) - 1 AS above
			FROM prgroup AS g JOIN prvalue AS w ON w.group_id = g.id AND w.value = g.greatest WHERE g.holder IS NULL) AS tied
		WHERE above > 0`
	sqlTwinsLeft   = `DELETE FROM raised WHERE value IS NULL`
	sqlTwinsAdd    = `INSERT INTO prvalue (group_id, checksum, value) SELECT group_id, checksum, value FROM raised ORDER BY group_id, value`
	sqlTwinsMove   = `UPDATE prvalue AS w SET value = r.value FROM raised AS r WHERE w.group_id = r.group_id AND w.checksum = r.checksum AND w.value = r.was`
	sqlTwinsGroups = `UPDATE prgroup AS g SET greatest = r.value, holder = r.checksum
		FROM (SELECT DISTINCT ON (group_id) group_id, value, checksum FROM raised ORDER BY group_id, value DESC) AS r WHERE g.id = r.group_id`
)

// RaiseTwins gives checksums that share the greatest value of their version and
// pkgarch a value of their own each, above that one, but for the one that was
// stored first. It changes the database of a URL in one transaction; servers may
// go on. Where values are whole numbers only, none is raised above the limit.
func RaiseTwins(ctx context.Context, url string, limit int64) (r Raised, err error) {
	d, err := connectDirectly(ctx, url, false)
	if err != nil {
		return Raised{}, err
	}
	defer d.close()
	err = d.change(ctx, func(s *statements) {
		s.exec(ctx, sqlLockTied)
		var keepsOld bool
		s.scan(ctx, sqlKeepsOld, &keepsOld)
		if keepsOld {
			limit = math.MaxInt64
		}
		all := s.exec(ctx, sqlTwinsRaised, limit)
		r.Left = s.exec(ctx, sqlTwinsLeft)
		r.Rows = all - r.Left
		if keepsOld {
			s.exec(ctx, sqlTwinsAdd)
		} else {
			s.exec(ctx, sqlTwinsMove)
		}
		r.Versions = s.exec(ctx, sqlTwinsGroups)
	})
	if err != nil {
		return Raised{}, err
	}
	return r, nil
}
