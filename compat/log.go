package compat

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// levelCritical is the level of Python's CRITICAL.
const levelCritical = slog.LevelError + 4

// ParseLevel returns the log level with Python's name, in capital or small letters.
// It returns an error for any other name.
// Source: lib/prserv/__init__.py:init_logger.
func ParseLevel(name string) (slog.Level, error) {
	switch strings.ToUpper(name) {
	case "DEBUG", "NOTSET":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "WARNING", "WARN":
		return slog.LevelWarn, nil
	case "ERROR":
		return slog.LevelError, nil
	case "CRITICAL", "FATAL":
		return levelCritical, nil
	}
	return 0, fmt.Errorf("Invalid log level: %s", name) //lint:ignore ST1005 the reference's words
}

// timeLayout is how the reference writes the time, with the zone behind it.
const timeLayout = "2006-01-02 15:04:05,000 -0700"

// LogFormat is how lines of the log are written.
type LogFormat string

// The formats.
const (
	LogText LogFormat = "text" // "TIME NOTE: text key=value"
	LogJSON LogFormat = "json" // an object a line
)

// Check returns an error for a format that there is not.
func (f LogFormat) Check() error {
	if f != LogText && f != LogJSON {
		return fmt.Errorf("--log-format %q is none; give text or json", string(f))
	}
	return nil
}

// logHandler writes a record as one line.
type logHandler struct {
	mu     *sync.Mutex // guards out
	out    io.Writer
	format LogFormat
	level  slog.Level
	times  bool
	attrs  []slog.Attr
}

// NewLogHandler returns a handler that writes records of level or above to out,
// with their times or without; JSON always has them. A line is one Write.
// Whatever a record says, it is one line of printable characters, and each of its
// texts has at most [maxText] bytes. The value of an attribute without a key
// follows the text as it is: ("can not find value for", "", "(a, b)") is what the
// reference writes.
func NewLogHandler(out io.Writer, format LogFormat, level slog.Level, times bool) slog.Handler {
	return &logHandler{mu: &sync.Mutex{}, out: out, format: format, level: level, times: times}
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle writes a record as one line.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	attrs := append([]slog.Attr(nil), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	line := h.textLine
	if h.format == LogJSON {
		line = jsonLine
	}
	text := line(r, attrs)
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, text)
	return err
}

// textLine returns a record as "TIME NOTE: text key=value". The reference writes
// two lines, "NOTE: text" and "TIME text".
//
// Source: lib/bb/msg.py:BBLogFormatter, lib/prserv/__init__.py:init_logger.
func (h *logHandler) textLine(r slog.Record, attrs []slog.Attr) string {
	var b strings.Builder
	if h.times && !r.Time.IsZero() {
		b.WriteString(r.Time.Format(timeLayout) + " ")
	}
	b.WriteString(levelName(r.Level) + ": ")
	writeText(&b, r.Message, maxText)
	for _, a := range attrs {
		writeAttr(&b, a)
	}
	b.WriteByte('\n')
	return b.String()
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &with
}

// WithGroup ignores the group: there are too few keys to confuse.
func (h *logHandler) WithGroup(string) slog.Handler { return h }

func levelName(l slog.Level) string {
	switch {
	case l >= levelCritical:
		return "CRITICAL"
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARNING"
	case l >= slog.LevelInfo:
		return "NOTE"
	}
	return "DEBUG"
}
