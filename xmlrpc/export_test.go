package xmlrpc

import "prserver/xmlrpc/spool"

// Large returns how many large requests are under way.
func (h *Handler) Large() int { return len(h.large) }

// Unlimited is an account that lets a connection hold whatever it wants to.
type Unlimited = spool.Unlimited
