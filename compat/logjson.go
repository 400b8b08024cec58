package compat

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonTime is RFC 3339 with milliseconds.
const jsonTime = "2006-01-02T15:04:05.000Z07:00"

// jsonLine returns a record as a JSON object: time, level and message, and a
// member for each attribute. Numbers stay numbers. encoding/json would leave
// characters as they are that control a terminal.
func jsonLine(r slog.Record, attrs []slog.Attr) string {
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	message := r.Message
	for _, a := range attrs {
		if a.Key == "" {
			message += " " + a.Value.Resolve().String()
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"time":%q,"level":%q,"message":`, at.Format(jsonTime), jsonLevel(r.Level))
	writeJSONText(&b, message, maxText)
	for _, a := range attrs {
		if a.Key != "" {
			writeMember(&b, a)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// jsonLevel names a level as --loglevel does.
func jsonLevel(l slog.Level) string {
	if name := levelName(l); name != "NOTE" {
		return name
	}
	return "INFO"
}

func writeMember(b *strings.Builder, a slog.Attr) {
	b.WriteByte(',')
	writeJSONText(b, a.Key, maxText)
	b.WriteByte(':')
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindBool:
		b.WriteString(v.String())
		return
	}
	limit := maxText
	if a.Key == "stack" {
		limit = maxStack
	}
	writeJSONText(b, v.String(), limit)
}

// writeJSONText writes a text as writeText does, in quotation marks and with the
// escapes of JSON. A byte that is no UTF-8 becomes U+FFFD.
func writeJSONText(b *strings.Builder, text string, limit int) {
	b.WriteByte('"')
	writeEscaped(b, text, limit, jsonEscape)
	b.WriteByte('"')
}

func jsonEscape(piece string) string {
	r, _ := utf8.DecodeRuneInString(piece)
	switch {
	case r == '"' || r == '\\':
		return `\` + string(r)
	case r == '\n':
		return `\n`
	case strconv.IsPrint(r):
		return string(r)
	case r >= 0x10000:
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
