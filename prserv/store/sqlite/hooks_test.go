package sqlite

import "context"

// What the tests of this package have to wait for cannot be seen from outside.

// Writers returns how many calls have come as far as to the writer since the
// store was opened.
func (s *Store) Writers() int { return int(s.writer.taken.Load()) + len(s.writer.requests) }

// LogMoves returns how often it has been tried to move the write-ahead log to
// the file.
func (s *Store) LogMoves() int { return int(s.writer.tries.Load()) }

// OpenOnNetwork opens a file as if it were on a network file system.
func OpenOnNetwork(ctx context.Context, file string) (*Store, error) {
	return openOn(ctx, file, false, func(string) string { return "NFS" })
}
