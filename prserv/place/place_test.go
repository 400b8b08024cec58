package place

import (
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, format string
		want         Kind
	}{
		{"prhost:8585", "", Server},
		{"prhost.example:8585", "", Server},
		{"127.0.0.1:1", "", Server},
		{"[::1]:65535", "", Server},
		{"prhost:8585", "sql", Server}, // the format is the other place's
		{"a.sqlite3", "", Database},
		{"a.sqlite", "", Database},
		{"a.db", "", Database},
		{"a.DB", "", Database},
		{"/srv/pr/prserv.sqlite3", "sql", Database},
		{"a.sql", "", SQL},
		{"a.sql", "inc", SQL},
		{"a.inc", "", Inc},
		{"a.conf", "", Inc},
		{"./a:1.inc", "", Inc},
		{"a.b.inc", "sqlite3", Inc},
		{"a", "sqlite3", Database},
		{"a.txt", "sql", SQL},
		{"a", "inc", Inc},
		{"dir/host:8585", "inc", Inc},
		{":8585", "sql", SQL},
		{"prhost:0", "inc", Inc},
		{"prhost:65536", "inc", Inc},
		{"prhost:http", "inc", Inc},
		{"-", "sql", SQL},
		{"-", "inc", Inc},
	} {
		got, err := Parse(test.name, test.format)
		if want := (Place{test.want, test.name}); err != nil || got != want {
			t.Errorf("Parse(%q, %q): %v, %v; want %v", test.name, test.format, got, err, want)
		}
	}
}

func TestParseWrong(t *testing.T) {
	for _, test := range []struct{ name, format, want string }{
		{"", "", "without a name"},
		{"", "sql", "without a name"},
		{"-", "", "what format is -"},
		{"-", "sqlite3", "cannot be read from or written to a pipe"},
		{"a.sql", "xml", `"xml" is no format`},
		{"prhost:8585", "SQL", `"SQL" is no format`},
		{"prhost", "", "neither HOST:PORT nor a file"},
		{"a.txt", "", "neither HOST:PORT nor a file"},
		{":8585", "", "neither HOST:PORT nor a file"},
		{"prhost:", "", "neither HOST:PORT nor a file"},
		{"prhost:0", "", "neither HOST:PORT nor a file"},
		{"prhost:65536", "", "neither HOST:PORT nor a file"},
		{"::1:8585", "", "neither HOST:PORT nor a file"},
		{"a\nb", "", `"a\nb" is neither`},
	} {
		got, err := Parse(test.name, test.format)
		prservtest.WantOneLine(t, test.name+" "+test.format, err, test.want)
		if got != (Place{}) {
			t.Errorf("Parse(%q, %q): %v with the error", test.name, test.format, got)
		}
	}
}

// TestCompareRevisions has values in their order; those of one line are equal.
func TestCompareRevisions(t *testing.T) {
	ordered := [][]string{
		{"", "x", "1.", ".1", "1..2", "+1", "1.-2", "-1.2", "1e3", " 1", "1 ", "9223372036854775808", "1.9999999999999999999", "0000000000000000003"},
		{"-9223372036854775808"},
		{"-10"},
		{"-9"},
		{"0", "00", "-0"},
		{"0.0"},
		{"0.1"},
		{"1"},
		{"9", "09"},
		{"9.9"},
		{"10"},
		{"10.0"},
		{"10.0.1"},
		{"10.1"},
		{"10.2"},
		{"10.10"},
		{"11"},
		{"999999999999999999.5"},
		{"9223372036854775807"},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			want := max(-1, min(1, i-j))
			for _, x := range a {
				for _, y := range b {
					if got := compareRevisions(x, y); got != want {
						t.Errorf("compareRevisions(%q, %q): %d, want %d", x, y, got, want)
					}
				}
			}
		}
		for _, x := range a {
			if _, ok := store.ParseRevision(x); ok != (i > 0) {
				t.Errorf("store.ParseRevision(%q): %v, want %v", x, ok, i > 0)
			}
		}
	}
}

// TestBadRows holds what SQL says of values against store.ParseRevision.
func TestBadRows(t *testing.T) {
	b, err := openScratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	check := func(of *generation, want bool, value any) {
		t.Helper()
		n, err := b.number(t.Context(), "SELECT count(*) FROM (SELECT 'v' AS version, 'p' AS pkgarch, 'c' AS checksum, ? AS value) WHERE "+
			of.badRows(), value)
		if err != nil || (n == 0) != want {
			t.Errorf("generation %d: is %#v good: %v, %v; want %v", of.number, value, n == 0, err, want)
		}
	}
	for _, value := range []string{"", "0", "3", "3.0", "3.1.4", "007", "-5", "-0", "--5", "-", "-.5", "5-", "-1.2", "1.-2", ".", "1.", ".1", "1..2", "x", "1x", "+1", " 1",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "999999999999999999", "9999999999999999999",
		"999999999999999999.1", "1.999999999999999999", "1.1000000000000000000", "0000000000000000003", "-000000000000000003", "-123456789012345678",
		"1\x00", "٣"} {
		_, ok := store.ParseRevision(value)
		check(generation3, ok, value)
		check(generation1, false, value)
	}
	for _, value := range []any{nil, 1.5, []byte("3")} {
		check(generation3, false, value)
		check(generation1, false, value)
	}
	check(generation1, true, int64(-3))
}

func TestIsVariable(t *testing.T) {
	for _, test := range []struct {
		row  string // the parts of a key
		want bool
	}{
		{"make-4.1-r0 core2-64 9e107d9d372bb6826bd81d3542a419d6", true},
		{"AUTOINC-linux+git all a1", true},
		{"gtk+-2.0_1.0~rc1-x/y all a", true},
		{"a:b all a", false},
		{"v - c", true}, // empty, here
		{"- p c", false},
		{"v@2 p c", false},
		{"v p$q c", false},
		{"v p c'd", false},
		{`v p c"d`, false},
		{"v p c\u00a0d", false},
		{"v Zoë c", false},
		{"v p c_append", false},
		{"v p c_remove_x", false},
		{"v_prepend_1 p c", false},
		{"v_append p c", false}, // PRAUTO_v_append_p
		{"v append c", false},   // PRAUTO_v_append
		{"v_appended p c", true},
		{"{v} p c", false}, // PRAUTO${v}$p$c
		{"v{} p c", true},
	} {
		parts := strings.Split(test.row, " ")
		for i := range parts {
			parts[i] = strings.TrimPrefix(parts[i], "-")
		}
		if got := isVariable(parts[0], parts[1], parts[2]); got != test.want {
			t.Errorf("isVariable of %s: %v, want %v", test.row, got, test.want)
		}
	}
}
