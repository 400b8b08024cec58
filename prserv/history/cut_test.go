package history

import (
	"strings"
	"testing"
	"unsafe"

	"prserver/prserv/store"
)

func TestCutText(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"make", 4, "make"},
		{"make", 3, "mak"},
		{"é", 2, "é"},
		{"aé", 2, "a"}, // no half of a character
		{"é€", 4, "é"},
		{"\x80\x80\x80", 2, ""}, // no text at all
	} {
		if got := CutText(test.text, test.limit); got != test.want {
			t.Errorf("%q cut after %d: got %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

// TestKeepCopies looks where the texts of a key are that waits for the disk: not in
// the call that they are parts of, which may be long.
func TestKeepCopies(t *testing.T) {
	call := strings.Repeat("v", 1000)
	k := keep(store.Key{Version: call[10:20], Pkgarch: call[30:40], Checksum: call[50:60]})
	begin := uintptr(unsafe.Pointer(unsafe.StringData(call)))
	for _, text := range []string{k.Version, k.Pkgarch, k.Checksum} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(text))); text != "vvvvvvvvvv" || at >= begin && at < begin+uintptr(len(call)) {
			t.Errorf("%q is at %x, in the call from %x on", text, at, begin)
		}
	}
}
