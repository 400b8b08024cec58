package status

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"prserver/prserv/history"
	"prserver/prserv/visible"
)

// shown is how many bytes of a text are shown.
const shown = 300

// show returns a text as it is shown. What cannot be seen, or would turn the
// direction of writing, is escaped as in Go, and so are bytes that are no
// UTF-8. What is beyond the limit is counted.
func show(text string) string {
	head := history.CutText(text, shown)
	if more := len(text) - len(head); more > 0 {
		return fmt.Sprintf("%s… (%s more bytes)", visible.Text(head), grouped(more))
	}
	return visible.Text(head)
}

// shortest returns the beginning of a checksum, by which people tell them apart.
func shortest(checksum string) string {
	const enough = 12
	text := show(checksum)
	if utf8.RuneCountInString(text) <= enough+4 {
		return text
	}
	return string([]rune(text)[:enough]) + "…"
}

// packageURL returns the path of the page of a package; empty if it has none.
func packageURL(name string) string {
	// A browser takes one or two dots for a folder, also when they are escaped.
	if name == "" || name == "." || name == ".." || len(name) > maxName {
		return ""
	}
	return "/package/" + url.PathEscape(name)
}

// grouped writes a whole number with commas: 12,345.
func grouped[T int | int64 | uint64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// plural writes a number of things: 1 row, 2 rows.
func plural[T int | int64 | uint64](n T, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + one + "s"
}

// size writes a number of bytes: 512 bytes, 1.5 KiB, 2.0 GiB.
func size(bytes int64) string {
	if bytes < 1024 {
		return plural(bytes, "byte")
	}
	n, unit := float64(bytes)/1024, 0
	for n >= 1023.95 && unit < 3 {
		n /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", n, "KMGT"[unit])
}

// lasting writes a time span by its two largest units: 3 days 4 h.
func lasting(d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%s %d h", plural(days, "day"), hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return "less than a minute"
}

// moment writes a time in the zone of the server.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
