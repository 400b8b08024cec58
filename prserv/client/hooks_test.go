package client

import (
	"io"
	"time"
)

// WaitForDumps sets how long a dump may take to begin.
func (c *Client) WaitForDumps(d time.Duration) { c.firstByte = d }

// ReadText reads the text of an answer as DumpDB does.
func ReadText(answer io.Reader) (string, error) {
	text, err := readText(io.NopCloser(answer))
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(text)
	return string(all), err
}
