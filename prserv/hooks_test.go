package prserv

// What the tests of this package have to wait for cannot be seen from outside.

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
