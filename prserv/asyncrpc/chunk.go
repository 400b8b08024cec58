package asyncrpc

import "bytes"

// chunkSize is how many characters a line of a chunk-stream has; a text that has
// fewer is sent as one line.
//
// Source: lib/bb/asyncrpc/connection.py:chunkify and DEFAULT_MAX_CHUNK.
const chunkSize = 32<<10 - 1

// chunker cuts JSON in ASCII into the lines of a chunk-stream, and appends them
// to out.
//
// Whoever receives them takes the spaces from the end of each line. Within a
// text they would be lost, so a line ends before them there.
type chunker struct {
	out     []byte
	line    []byte // not more than chunkSize
	inText  bool   // where line ends
	escaped bool   // a backslash was last
}

// begin announces the chunks.
func (c *chunker) begin() { c.out = append(c.out, `{"chunk-stream": null}`+"\n"...) }

// add adds a piece of the JSON.
func (c *chunker) add(piece []byte) {
	for len(piece) > 0 {
		n := min(len(piece), chunkSize-len(c.line))
		c.follow(piece[:n])
		c.line = append(c.line, piece[:n]...)
		piece = piece[n:]
		if len(c.line) == chunkSize {
			c.cut()
		}
	}
}

// end adds the rest and the empty line.
func (c *chunker) end() {
	if len(c.line) > 0 {
		c.out = append(append(c.out, c.line...), '\n')
		c.line = c.line[:0]
	}
	c.out = append(c.out, '\n')
}

// follow notes where a piece of the JSON ends: in a text or not.
func (c *chunker) follow(piece []byte) {
	for _, b := range piece {
		switch {
		case c.escaped:
			c.escaped = false
		case b == '\\':
			c.escaped = c.inText
		case b == '"':
			c.inText = !c.inText
		}
	}
}

// cut ends a full line.
func (c *chunker) cut() {
	line := c.line
	if c.inText && line[len(line)-1] == ' ' {
		line = bytes.TrimRight(line, " ")
	}
	c.out = append(c.out, line...)
	rest := len(c.line) - len(line)
	if len(line) == 0 { // nothing but spaces
		c.out = append(append(c.out, c.line[1:]...), `\u0020`...)
		rest = 0
	}
	c.out = append(c.out, '\n')
	c.line = append(c.line[:0], c.line[len(c.line)-rest:]...)
}
