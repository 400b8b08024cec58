package visible_test

import (
	"strings"
	"testing"

	"prserver/prserv/visible"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "gtk+3-3.24.34-r0": "gtk+3-3.24.34-r0", "Grüße 漢字 \ufffd": "Grüße 漢字 \ufffd", `C:\a "b"`: `C:\a "b"`,
		"a\nb\r\t\x00\x1b[2J\x7f": `a\nb\r\t\x00\x1b[2J\x7f`,
		"\u0085\u009b2J":          `\u0085\u009b2J`,
		"\u202ered\u2066\u200b":   `\u202ered\u2066\u200b`,
		"\u2028\u00a0\U000e0001":  `\u2028\u00a0\U000e0001`,
		"\xff\x9b":                `\xff\x9b`,
	} {
		if got := visible.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWrite(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
		rest  int
	}{
		{"abc", 3, "abc", 0}, {"abc", 2, "ab", 1}, {"abc", 0, "", 3}, {"abc", -1, "abc", 0},
		{"aéb", 2, "a", 3}, {"a\nb", 2, "a", 2}, {"a\nb", 3, `a\n`, 1}, {"\xff\xffa", 4, `\xff`, 2},
	} {
		var b strings.Builder
		b.WriteString("before ")
		rest := visible.Write(&b, test.text, test.limit, visible.Escape)
		if got := b.String(); got != "before "+test.want || rest != test.rest {
			t.Errorf("%q, %d: got %q and %d, want %q and %d", test.text, test.limit, got, rest, test.want, test.rest)
		}
	}
}
