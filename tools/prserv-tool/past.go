package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/store"
	"prserver/prserv/visible"
)

// mostJumps is how many jumps of a version and pkgarch are told.
const mostJumps = 20

// past is what happened to a version and pkgarch.
type past struct {
	version, pkgarch string

	begun  bool // a value was given or imported
	told   []sentence
	jumps  int                       // of those told
	had    map[string]store.Revision // the last value of each checksum
	owners map[string]string         // the checksum that was given each value first
	now    store.Revision            // the greatest value after the last event
	got    string                    // who got that; empty if the history does not know
	most   store.Revision            // the greatest value ever
}

// sentence tells of an event.
type sentence struct {
	text    string
	isJump  bool // it says more than that somebody got the next value
	leftOut int  // how many events before it are not told
}

func newPast(version, pkgarch string) *past {
	return &past{version: version, pkgarch: pkgarch, had: map[string]store.Revision{}, owners: map[string]string{}}
}

// add adds the next event.
func (of *past) add(e history.Event) {
	if by := e.Refused(); by != "" {
		of.say(e.Time, fmt.Sprintf("%s called %s for the checksum %s, and was refused by --%s.", who(e), e.Method, short(e.Checksum), by), false)
		return
	}
	value, _ := store.ParseRevision(e.Value)
	before, _ := store.ParseRevision(e.Before)
	isImport := e.Imported()
	of.compare(e.Time, value, before)
	of.begun = true
	if len(before) > 0 && before.Compare(of.now) != 0 {
		of.now, of.got = before, ""
	}
	text, isJump := of.describe(e, value, isImport)
	if other := of.owners[e.Value]; other != "" && other != e.Checksum {
		text, isJump = text+fmt.Sprintf(" The checksum %s had got the same before!", short(other)), true
	}
	of.say(e.Time, text, isJump)
	if value.Compare(of.now) > 0 {
		did := "got"
		if isImport {
			did = "imported"
		}
		of.now, of.got = value, fmt.Sprintf("%s %s it for the checksum %s on %s", who(e), did, short(e.Checksum), clock(e.Time))
	}
	if of.now.Compare(of.most) > 0 {
		of.most = of.now
	}
	of.had[e.Checksum] = value
	if of.owners[e.Value] == "" {
		of.owners[e.Value] = e.Checksum
	}
}

// compare says what has happened to the greatest value before an event without
// the history knowing of it.
func (of *past) compare(at time.Time, value, before store.Revision) {
	switch {
	case !of.begun && len(before) > 0:
		of.say(at, fmt.Sprintf("the greatest value was %s already; how it came to that is older than the history.", before), true)
	case !of.begun:
	case before.Compare(of.now) > 0:
		of.say(at, fmt.Sprintf("the greatest value was %s by then, and not %s: prserv-tool has raised it, another server has written the file, or events are missing.", before, of.now), true)
	case len(before) > 0 && before.Compare(of.now) < 0:
		of.say(at, fmt.Sprintf("the greatest value was only %s by then, and not %s: the file had been replaced by an older one, such as a backup.", before, of.now), true)
	case len(before) == 0 && value.Compare(of.now) <= 0:
		of.say(at, fmt.Sprintf("there was no value by then, though there had been %s: the file had been lost, or replaced by another one.", of.now), true)
		of.now, of.got = nil, ""
	}
}

// describe says what an event was, and whether the value is not just the next
// one.
func (of *past) describe(e history.Event, value store.Revision, isImport bool) (text string, isJump bool) {
	checksum := short(e.Checksum)
	had, isKnown := of.had[e.Checksum]
	if isImport {
		text = fmt.Sprintf("%s imported %s for the checksum %s", who(e), e.Value, checksum)
		switch {
		case len(of.now) == 0:
			return text + ".", true
		case value.Compare(of.now) < 0:
			return text + fmt.Sprintf(", which is below the greatest, %s.", of.now), false
		case value.Compare(of.now) == 0:
			return text + ", which was the greatest already.", false
		case follows(value, of.now):
			return text + ".", false
		}
		return text + fmt.Sprintf(": a jump from %s.", of.now), true
	}
	switch {
	case isKnown && len(of.now) > 0 && had.Compare(of.now) < 0:
		text = fmt.Sprintf("%s asked again for the checksum %s, whose %s was not the greatest any more, and got %s", who(e), checksum, had, e.Value)
	case isKnown:
		text = fmt.Sprintf("%s asked for the checksum %s, which had %s before, and got %s", who(e), checksum, had, e.Value)
	default:
		text = fmt.Sprintf("%s asked for the checksum %s, a new one, and got %s", who(e), checksum, e.Value)
	}
	switch {
	case len(of.now) == 0 || follows(value, of.now):
		return text + ".", false
	case value.Compare(of.now) < 0:
		return text + fmt.Sprintf(", which is below the greatest, %s.", of.now), true
	}
	return text + fmt.Sprintf("; the greatest was %s.", of.now), true
}

// follows tells whether a value is just the next one: 4 after 3, 3.1 after 3.0, and
// 3.0 as the first one below 3.
func follows(value, before store.Revision) bool {
	last := len(value) - 1
	if last < 0 || len(before) < last || !slices.Equal(value[:last], before[:last]) {
		return false
	}
	if len(before) == last {
		return last > 0 && value[last] == 0
	}
	return len(before) == len(value) && value[last] == before[last]+1
}

// say adds a sentence, and leaves out the oldest that is no jump where there are
// many.
func (of *past) say(at time.Time, text string, isJump bool) {
	of.told = append(of.told, sentence{text: clock(at) + ": " + text, isJump: isJump})
	if isJump {
		of.jumps++
	}
	drop := -1
	switch {
	case of.jumps > mostJumps: // the oldest jump goes
		drop = 0
		of.jumps--
		for !of.told[drop].isJump {
			drop++
		}
	case len(of.told)-of.jumps > toldEvents:
		for drop = 0; of.told[drop].isJump; drop++ {
		}
	default:
		return
	}
	if drop+1 < len(of.told) {
		of.told[drop+1].leftOut += of.told[drop].leftOut + 1
	}
	of.told = append(of.told[:drop], of.told[drop+1:]...)
}

// tell writes the sentences.
func (of *past) tell(out io.Writer) {
	at := "got no value"
	switch {
	case of.got != "":
		at = fmt.Sprintf("is at %s: %s", of.now, of.got)
	case len(of.now) > 0:
		at = fmt.Sprintf("is at %s: the history does not know who got it", of.now)
	}
	fmt.Fprintf(out, "%s of %s %s.\n", visible.Text(of.version), visible.Text(of.pkgarch), visible.Text(at))
	if of.most.Compare(of.now) > 0 {
		fmt.Fprintf(out, "  It has been at %s before, so the next numbers may have been given out already.\n", of.most)
	}
	for _, s := range of.told {
		if s.leftOut > 0 {
			fmt.Fprintf(out, "  (%s left out)\n", count(int64(s.leftOut), "event"))
		}
		fmt.Fprintf(out, "  %s\n", visible.Text(s.text))
	}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// who names the client of an event.
func who(e history.Event) string {
	name := e.Client
	if name == "" {
		name = "somebody"
	}
	if release, ok := releases[e.Generation]; ok {
		name += " (BitBake " + release + ")"
	}
	return name
}

// short cuts a checksum as long as those of BitBake; its beginning tells it.
func short(checksum string) string {
	const most = 16
	if len(checksum) < 32 {
		return checksum
	}
	return checksum[:most] + "…"
}

// releases are the releases of each generation.
var releases = map[int]string{1: "up to 1.50", 2: "1.52 to 2.8", 3: "2.10 or later"}
