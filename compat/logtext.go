package compat

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"

	"prserver/prserv/visible"
)

const (
	// maxText is how many bytes of a text a line of the log has. The names of
	// packages are shorter by far.
	maxText = 1 << 10
	// maxStack is the same for a stack trace.
	maxStack = 16 << 10
)

// writeAttr writes " key=value". The value has quotation marks if it could be
// taken for something else without them.
func writeAttr(b *strings.Builder, a slog.Attr) {
	text, limit := a.Value.Resolve().String(), maxText
	if a.Key == "stack" {
		limit = maxStack
	}
	b.WriteByte(' ')
	switch {
	case a.Key == "":
		writeText(b, text, limit)
	case text == "" || strings.ContainsFunc(text, needsQuotes):
		b.WriteString(a.Key + `="`)
		writeText(b, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text), limit)
		b.WriteByte('"')
	default:
		b.WriteString(a.Key + "=")
		writeText(b, text, limit)
	}
}

func needsQuotes(r rune) bool {
	return r == ' ' || r == '=' || r == '"' || r == '\\' || !strconv.IsPrint(r) || r == utf8.RuneError
}

// writeText writes a text that may come from a client. Nothing in it can begin
// a line, move the cursor or turn the direction of writing: what is not
// printable is escaped as in Go and Python.
func writeText(b *strings.Builder, text string, limit int) {
	writeEscaped(b, text, limit, visible.Escape)
}

// writeEscaped writes what escape returns for each character of a text, or byte that
// is no UTF-8. What is beyond limit is cut off, and counted instead.
func writeEscaped(b *strings.Builder, text string, limit int, escape func(piece string) string) {
	if rest := visible.Write(b, text, limit, escape); rest > 0 {
		fmt.Fprintf(b, "...[%d bytes more]", rest)
	}
}
