package place

import "io"

// Work does what is to be done with places. Its errors are one line, with the
// place, and for texts the number of the line. An interrupted context ends what
// is under way, and leaves files that were to be written as they were.
type Work struct {
	Stdin  io.Reader // the place "-" to read from
	Stdout io.Writer // the place "-" to write to
	// Progress hears now and then how far long work has come. It may be nil.
	Progress func(Progress)
	// Warn hears a line about anything that is left out. It may be nil.
	Warn func(line string)
}

// Progress is how far long work has come.
type Progress struct {
	What string  // what is being done, for example "reading old.sql"
	Rows int64   // how many rows of it are done
	Part float64 // how much of it is done, from 0 to 1, or -1 if nobody knows
}
