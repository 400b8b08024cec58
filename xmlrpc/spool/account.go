package spool

// Phase is what a connection is about.
type Phase uint8

const (
	// Reading: the client has to send a request.
	Reading Phase = iota
	// Working: a request has arrived whole and is being answered.
	Working
	// Sending: the client has to fetch its answer.
	Sending
)

// Account keeps the books of one connection: what it holds of the memory and
// the temporary files that all connections share.
type Account interface {
	// Enter notes what the connection is about from now on. On Reading it lets
	// go of all that was held.
	Enter(Phase)
	// Hold takes room for n bytes in memory, or gives it back if n is negative.
	// If there is too little, the connections that stall are closed for it; the
	// error is returned where that does not suffice.
	Hold(n int) error
	// TryHold takes room in memory only if there is enough.
	TryHold(n int) bool
	// Store takes room for n bytes in a file, as Hold does in memory. A
	// connection has one file at most.
	Store(n int) error
}

// Unlimited is the account of a connection that nobody counts.
type Unlimited struct{}

func (Unlimited) Enter(Phase)      {}
func (Unlimited) Hold(int) error   { return nil }
func (Unlimited) TryHold(int) bool { return true }
func (Unlimited) Store(int) error  { return nil }
