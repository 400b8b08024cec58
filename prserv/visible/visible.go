// Package visible writes texts of clients so that a person sees all that is in
// them, and nothing in them begins a line, controls a terminal or turns the
// direction of writing.
//
// Start with [Text].
package visible

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns a text in which every character that cannot be seen is escaped as in
// Go, and so is every byte that is no UTF-8.
func Text(text string) string {
	if !strings.ContainsFunc(text, isHidden) {
		return text
	}
	var b strings.Builder
	Write(&b, text, -1, Escape)
	return b.String()
}

// isHidden tells whether a character may have to be escaped.
func isHidden(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }

// Escape returns a character, or a byte that is no UTF-8, as [Text] writes it.
func Escape(piece string) string {
	if r, size := utf8.DecodeRuneInString(piece); strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1) {
		return piece
	}
	quoted := strconv.Quote(piece)
	return quoted[1 : len(quoted)-1]
}

// Write writes what escape returns for each character of a text, up to limit bytes;
// all if that is negative. It returns how many bytes of the text are left out.
func Write(b *strings.Builder, text string, limit int, escape func(piece string) string) (rest int) {
	end := b.Len() + limit
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		piece := escape(text[i : i+size])
		if limit >= 0 && b.Len()+len(piece) > end {
			return len(text) - i
		}
		b.WriteString(piece)
		i += size
	}
	return 0
}
