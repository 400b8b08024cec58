package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"

	"prserver/prserv/place"
	"prserver/prserv/visible"
)

const (
	// patience is how long work may take before somebody wants to see it.
	patience = 500 * time.Millisecond
	// interval is how often the bar changes.
	interval = 100 * time.Millisecond
	// barWidth leaves place for words beside the bar.
	barWidth = 20
	// besides is how many columns the line has besides those words.
	besides = barWidth + len("  50% ||   ") + 1
	// whole is what the bar takes for all of the work.
	whole = 1000
)

// progress shows how far work has come, if it lasts and somebody looks.
type progress struct {
	out   io.Writer
	start time.Time
	now   func() time.Time
	width func() int // of the terminal

	mu    sync.Mutex // guards what follows
	quiet bool       // it shows nothing any more
	bar   *progressbar.ProgressBar
	known bool           // the bar shows a part
	first place.Progress // of the work that is under way
	since time.Time      // when that came
	shown time.Time
}

func newProgress(stderr io.Writer) *progress {
	return &progress{out: stderr, start: time.Now(), now: time.Now, quiet: !isTerminal(stderr),
		width: func() int { return terminalWidth(stderr) }}
}

// show is for [place.Work].
func (p *progress) show(done place.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	now := p.now()
	if done.What != p.first.What || p.since.IsZero() {
		p.first, p.since = done, now
	}
	if now.Sub(p.start) < patience || now.Sub(p.shown) < interval {
		return
	}
	p.shown = now
	room := p.width() - besides
	if room <= 0 {
		return
	}
	if known := done.Part >= 0; p.bar == nil || known != p.known {
		p.takeAway()
		p.bar, p.known = newBar(p.out, known), known
	}
	line := describe(done, p.first, now.Sub(p.since))
	if utf8.RuneCountInString(line) > room {
		line = string([]rune(line)[:room]) // a second line would stay
	}
	if p.known {
		p.bar.Set64(min(int64(done.Part*whole), whole-1)) // a full bar would be the last one
	}
	p.bar.Describe(line)
}

func newBar(out io.Writer, known bool) *progressbar.ProgressBar {
	size := int64(whole)
	if !known {
		size = -1
	}
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(barWidth),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSpinnerCustom([]string{`|`, `/`, `-`, `\`}), progressbar.OptionSetSpinnerChangeInterval(0), // no goroutine
		// Its times are of the bar, which came late.
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
}

// describe says what is being done, how fast, and how long it will take.
func describe(now, first place.Progress, passed time.Duration) string {
	line := visible.Text(now.What)
	if rows := now.Rows - first.Rows; rows > 0 && passed > 0 {
		line += fmt.Sprintf(", %.0f rows/s", float64(rows)/passed.Seconds())
	}
	if done := now.Part - max(first.Part, 0); now.Part > 0 && done > 0 && passed > 0 {
		left := time.Duration(float64(passed) * (1 - now.Part) / done)
		line += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return line
}

// clear takes the bar away until there is more to show.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeAway()
}

// stop takes the bar away for good.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeAway()
	p.quiet = true
}

// takeAway is clear for whoever holds the lock.
func (p *progress) takeAway() {
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
}

// quietly writes to a terminal on which no bar may be then.
type quietly struct {
	io.Writer
	progress *progress
}

func (q quietly) Write(b []byte) (int, error) {
	q.progress.stop()
	return q.Writer.Write(b)
}

func terminalWidth(stream io.Writer) int {
	if file, ok := stream.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}
