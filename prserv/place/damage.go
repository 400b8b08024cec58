package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"path/filepath"
	"strings"
)

// Damage returns what SQLite finds damaged in a database file without a look at
// what the rows hold, which takes some 5 ms a MiB, or "". Unlike the methods of
// [Work] it may be called while this process has the file open: it opens the
// file by SQLite only, because to close any other descriptor of it would let go
// of SQLite's locks. A file that cannot be read for another reason has no
// damage.
func Damage(ctx context.Context, file string) string {
	s, err := openScratch(ctx)
	if err != nil {
		return ""
	}
	defer s.close()
	found := ""
	if file, err = filepath.Abs(file); err == nil {
		err = s.attach(ctx, file, "served", "mode=ro")
	}
	if err == nil {
		err = s.faults(ctx, "served.quick_check(1)", func(line string) error {
			found = cmp.Or(found, line)
			return nil
		})
	}
	if found == "" && isDamaged(err) {
		found = err.Error()
	}
	return found
}

// faults calls each with what a check of SQLite's finds wrong with an attached
// file, a line each, and returns its first error. The check is quick_check or
// integrity_check with the most lines to tell of.
func (s *scratch) faults(ctx context.Context, check string, each func(line string) error) error {
	return s.walk(ctx, "PRAGMA "+check, nil, func(row []driver.Value) error {
		text, _ := row[0].(string)
		for line := range strings.SplitSeq(text, "\n") {
			if line == "ok" || strings.HasPrefix(line, "***") { // says in which database
				continue
			}
			if err := each(line); err != nil {
				return err
			}
		}
		return nil
	})
}
