package xmlrpc

// Large returns how many large requests are under way.
func (h *Handler) Large() int { return len(h.largePlaces()) }
