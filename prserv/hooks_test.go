package prserv

import "context"

// What the tests of this package have to wait for cannot be seen from outside.

// Writers returns how many calls have come as far as to the writer since the
// store was opened.
func (s *Store) Writers() int { return int(s.writer.taken.Load()) + len(s.writer.requests) }

// LogMoves returns how often it has been tried to move the write-ahead log to
// the file.
func (s *Store) LogMoves() int { return int(s.writer.tries.Load()) }

// Answering returns how many calls are being answered.
func (s *Server) Answering() int {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	n := 0
	for _, state := range s.conns.open {
		if state.busy {
			n++
		}
	}
	return n
}

// OpenOnNetwork opens a file as if it were on a network file system.
func OpenOnNetwork(ctx context.Context, file string) (*Store, error) {
	return openOn(ctx, file, false, func(string) string { return "NFS" })
}
