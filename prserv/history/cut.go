package history

import (
	"unicode/utf8"

	"prserver/prserv/store"
)

const (
	// MaxVersion is how many bytes of a version a history keeps, and MaxText how
	// many of any other text of a client. BitBake's have less by far.
	MaxVersion = 8 << 10
	MaxText    = 1 << 10
)

// CutText returns a text without what is beyond a number of bytes.
func CutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// Cut returns a key without what a history does not keep of its texts.
func Cut(k store.Key) store.Key {
	return store.Key{Version: CutText(k.Version, MaxVersion), Pkgarch: CutText(k.Pkgarch, MaxText), Checksum: CutText(k.Checksum, MaxText)}
}

// keep returns what a history keeps of a key. It is a copy: the texts may be parts
// of a long call.
func keep(k store.Key) store.Key {
	k = Cut(k)
	all := k.Version + k.Pkgarch + k.Checksum
	at := len(k.Version) + len(k.Pkgarch)
	return store.Key{Version: all[:len(k.Version)], Pkgarch: all[len(k.Version):at], Checksum: all[at:]}
}

// IsCut tells whether an event may lack the ends of its texts.
func (e Event) IsCut() bool {
	const rest = utf8.UTFMax - 1 // what is cut off with them is a whole character
	return len(e.Version) > MaxVersion-rest || len(e.Pkgarch) > MaxText-rest || len(e.Checksum) > MaxText-rest
}
