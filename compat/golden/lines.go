package golden

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

const (
	// longest is how many bytes a line of a recorded reply may have.
	longest = 8000
	// times stands between a quoted text and how often it is sent.
	times = " * "
)

// Abridge replaces each line of a reply that has more than 8,000 bytes, its newline not counted, with a line that tells
// its length and its hash. Abridge of an abridged reply changes nothing.
func Abridge(reply []byte) []byte {
	out := bytes.NewBuffer([]byte{}) // an empty reply is recorded, nil is not
	for line := range bytes.Lines(reply) {
		text, hasEnd := bytes.CutSuffix(line, []byte("\n"))
		if len(text) > longest {
			fmt.Fprintf(out, "*%d bytes, sha256 %x", len(text), sha256.Sum256(text))
		} else {
			out.Write(text)
		}
		if hasEnd {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// writeLines writes an exchange of a JSON-lines session: its request as it was read, its reply line by line.
func writeLines(out *bytes.Buffer, exchange Exchange) {
	for _, line := range exchange.Lines {
		writeMarked(out, markRequest, line)
	}
	if exchange.Reply != nil && len(exchange.Reply) == 0 {
		writeLine(out, markReply+`""`)
	}
	for line := range bytes.Lines(exchange.Reply) {
		writeMarked(out, markReply, fileLine(string(line)))
	}
}

// writeMarked writes a line behind its mark, whose space is left out where nothing follows.
func writeMarked(out *bytes.Buffer, mark, line string) {
	if line == "" {
		mark = strings.TrimSpace(mark)
	}
	writeLine(out, mark+line)
}

// fileLine returns how a file has a line of a reply: as it is, without its newline, if that can be read; quoted if not.
func fileLine(line string) string {
	text, hasEnd := strings.CutSuffix(line, "\n")
	if !hasEnd || strings.HasPrefix(text, `"`) || strings.TrimSpace(text) != text || strings.ContainsFunc(text, isHidden) {
		return strconv.Quote(line)
	}
	return text
}

func isHidden(r rune) bool { return r == unicode.ReplacementChar || !strconv.IsPrint(r) }

// addLine adds a line of the file to the request or the reply.
func (e *Exchange) addLine(line string) error {
	text := strings.TrimPrefix(line[1:], " ")
	sent, err := meaning(text)
	if err != nil {
		return err
	}
	isReply := line[0] == markReply[0]
	switch {
	case isReply && e.Request == nil, !isReply && e.Reply != nil:
		return fmt.Errorf("%.40q in the wrong place of an exchange: %w", line, errFormat)
	case isReply:
		e.Reply = append(e.Reply, sent...)
		if e.Reply == nil {
			e.Reply = []byte{}
		}
	default:
		e.Lines = append(e.Lines, text)
		e.Request = append(e.Request, sent...)
		if e.Request == nil {
			e.Request = []byte{}
		}
	}
	return nil
}

// meaning returns the bytes that a line of a request or a reply stands for: itself and a newline; what is quoted, if it
// begins with a quotation mark; or that many times.
func meaning(line string) ([]byte, error) {
	if !strings.HasPrefix(line, `"`) {
		return []byte(line + "\n"), nil
	}
	quoted, err := strconv.QuotedPrefix(line)
	if err != nil {
		return nil, fmt.Errorf("unquoting: %w", err)
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, fmt.Errorf("unquoting: %w", err)
	}
	count := 1
	if rest := line[len(quoted):]; rest != "" {
		number, ok := strings.CutPrefix(rest, times)
		if count, err = strconv.Atoi(number); !ok || err != nil || count < 0 {
			return nil, fmt.Errorf("%.40q behind quoted text: %w", rest, errFormat)
		}
	}
	return bytes.Repeat([]byte(text), count), nil
}
