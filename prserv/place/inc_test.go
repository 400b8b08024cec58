package place

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// goldenExport is how oe-core writes the rows in goldenRows, written out by hand
// after meta/lib/oe/prservice.py:prserv_export_tofile: rows and greatest values
// of one recipe after the other, what describes the table, and the lock.
const goldenExport = `PRAUTO$AUTOINC-linux-5.10$qemux86_64$7f1c0a = "2"
PRAUTO_AUTOINC-linux-5.10_qemux86_64 = "2"
PRAUTO$make-4.3-r0$all$0a = "0"
PRAUTO$make-4.3-r0$core2-64$1b = "9"
PRAUTO$make-4.3-r0$core2-64$2c = "10"
PRAUTO$make-4.3-r0$core2-64$3d = "10"
PRAUTO_make-4.3-r0_all = "0"
PRAUTO_make-4.3-r0_core2-64 = "10"
#PR_core_ver = "1.0.0"

#Table: PRMAIN_nohist
#Columns:
` + "#name      \t type    \t notn    \t dflt    \t pk\n" +
	"#----------\t --------\t --------\t --------\t ----\n" +
	"#   version\t     TEXT\t        1\t     None\t    1\n" +
	"#   pkgarch\t     TEXT\t        1\t     None\t    2\n" +
	"#  checksum\t     TEXT\t        1\t     None\t    3\n" +
	"#     value\t  INTEGER\t        0\t     None\t    0\n" + `
PRSERV_LOCKDOWN = "1"

`

var goldenRows = []Row{
	{"make-4.3-r0", "core2-64", "3d", "10"},
	{"make-4.3-r0", "core2-64", "1b", "9"},
	{"make-4.3-r0", "core2-64", "2c", "10"},
	{"make-4.3-r0", "all", "0a", "0"},
	{"AUTOINC-linux-5.10", "qemux86_64", "7f1c0a", "2"},
}

func TestIncWriter(t *testing.T) {
	src := newDB(t, generation1, goldenRows...)
	greatest := strings.Replace(goldenExport, "PRAUTO$make-4.3-r0$core2-64$1b = \"9\"\n", "", 1)
	for about, test := range map[string]struct {
		all  bool
		want string
		left int64
	}{"all": {true, goldenExport, 0}, "greatest": {false, greatest, 1}} {
		dst := Place{Inc, t.TempDir() + "/a.inc"}
		c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{All: test.all})
		if want := (Copied{New: 5 - test.left, Left: test.left}); err != nil || c != want {
			t.Errorf("%s: %+v, %v; want %+v", about, c, err, want)
		}
		if got := prservtest.ReadFile(t, dst.Name); got != test.want {
			t.Errorf("%s: wrote\n%s, want\n%s", about, got, test.want)
		}
		got, _, err := readRows(t, Inc, test.want, readOptions{})
		if err != nil || len(got) != 5-int(test.left) {
			t.Errorf("%s: read %v, %v", about, got, err)
		}
	}
}

func TestIncWriterOfRevisions(t *testing.T) {
	src := newDB(t, generation3, Row{"v", "p", "c", "9.10"}, Row{"v", "p", "c", "9.9"}, Row{"v", "p", "d", "9"})
	dst := Place{Inc, t.TempDir() + "/a.inc"}
	if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	text := prservtest.ReadFile(t, dst.Name)
	want := "PRAUTO$v$p$c = \"9.9\"\nPRAUTO$v$p$c = \"9.10\"\nPRAUTO$v$p$d = \"9\"\nPRAUTO_v_p = \"9.10\"\n#PR_core_ver = \"2.0.0\"\n\n#Table: PRMAIN\n"
	if !strings.HasPrefix(text, want) {
		t.Errorf("wrote\n%s, want\n%s…", text, want)
	}
	wantRows(t, "read again", listed(t, dst, ListOptions{}), []Row{{"v", "p", "c", "9.9"}, {"v", "p", "c", "9.10"}, {"v", "p", "d", "9"}})
}

// TestIncUnfit leaves out what BitBake could not read, and says so.
func TestIncUnfit(t *testing.T) {
	var rows []Row
	for _, name := range []string{"fit", "v@1", "a b", "a$b", "a'b", "a\nb", "Zoë", "", "x_append", "x\"y"} {
		rows = append(rows, Row{name, "p", "c", "3"})
	}
	for i := range 15 {
		rows = append(rows, Row{"many", "p", fmt.Sprint("@", i), fmt.Sprint(i)})
	}
	src := newDB(t, generation1, rows...)
	dst := Place{Inc, t.TempDir() + "/a.inc"}
	var warned []string
	c, err := (&Work{Warn: func(line string) { warned = append(warned, line) }}).Copy(t.Context(), src, dst, CopyOptions{All: true})
	if want := (Copied{New: 1, Left: 24}); err != nil || c != want {
		t.Errorf("%+v, %v; want %+v", c, err, want)
	}
	if len(warned) != 11 || !strings.HasPrefix(warned[10], "14 more") || strings.Contains(strings.Join(warned, ""), "\n") {
		t.Errorf("warned %q", warned)
	}
	wantRows(t, "written", listed(t, dst, ListOptions{}), []Row{{"fit", "p", "c", "3"}})
}

func TestIncReader(t *testing.T) {
	for text, want := range map[string][]Row{
		"":                                  nil,
		"# nothing\n\n#\n":                  nil,
		"PRSERV_LOCKDOWN = \"1\"\n":         nil,
		"PRAUTO$v$p$c = \"3\"":              {{"v", "p", "c", "3"}},
		"PRAUTO$v$p$c='3'\t \r\n\r\n#x\r\n": {{"v", "p", "c", "3"}},
		"PRAUTO$v$p$c ?= \" 3 \"\n":         {{"v", "p", "c", "3"}},
		"PRAUTO$v$p$c ??= \"3\"\nPRAUTO$v$p$d := \"-4\"\n": {{"v", "p", "c", "3"}, {"v", "p", "d", "-4"}},
		"PRAUTO$v$p$c?=\"3\"\nPRAUTO$v$p$d:=\"4\"":         {{"v", "p", "c", "3"}, {"v", "p", "d", "4"}},
		"PRAUTO$gtk+-3~{x}/$-$c. = \"3\"\n":                {{"gtk+-3~{x}/", "-", "c.", "3"}},
		"PRAUTO$v$$ = \"3\"\n":                             {{"v", "", "", "3"}},
		"PRAUTO$v$p$c = \"3\"\nPRAUTO$v$p$c = \"2\"\n":     {{"v", "p", "c", "3"}},
		"PRAUTO$v$p$c = \"2\"\nPRAUTO$v$p$c = \"3\"\n":     {{"v", "p", "c", "3"}},
		"PRAUTO$v$p$c = \"9.1\"\nPRAUTO$v$p$c = \"10\"\n":  {{"v", "p", "c", "9.1"}, {"v", "p", "c", "10"}},
		"PRAUTO$v$p$c = \"9.1\"\nPRAUTO$v$p$c = \"9.1\"\n": {{"v", "p", "c", "9.1"}},
		"PRAUTO$v$p$c = \"3.0\"\nPRAUTO$w$p$c = '10'\n":    {{"v", "p", "c", "3.0"}, {"w", "p", "c", "10"}},
		goldenExport: {goldenRows[4], goldenRows[3], goldenRows[1], goldenRows[2], goldenRows[0]},
		strings.ReplaceAll(goldenExport, "\n", "\r\n"):           {goldenRows[4], goldenRows[3], goldenRows[1], goldenRows[2], goldenRows[0]},
		strings.Repeat("PRAUTO_x_y = \"1\"\n", 5) + goldenExport: {goldenRows[4], goldenRows[3], goldenRows[1], goldenRows[2], goldenRows[0]},
	} {
		got, warned, err := readRows(t, Inc, text, readOptions{})
		if err != nil || len(warned) > 0 {
			t.Errorf("%q: %v, warned %q", text, err, warned)
		}
		wantRows(t, text, got, want)
	}
	_, _, err := readRows(t, Inc, "PRAUTO_v_p = \"7\"\n", readOptions{})
	prservtest.WantOneLine(t, "lines without a row", err, "it has no rows: its lines that begin with PRAUTO_ (1)", "but no checksum")
}

func TestIncReaderWrong(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"PRAUTO$v$p$c = 3", "is not a setting"},
		{"PRAUTO$v$p$c = \"3", "is not a setting"},
		{"PRAUTO$v$p$c = \"3'", "is not a setting"},
		{"PRAUTO$v$p$c += \"3\"", "is not a setting"},
		{"PRAUTO$v$p$c+=\"3\"", "is not a setting"},
		{"PRAUTO$v$p$c.=\"3\"", "is not a setting"},
		{"PRAUTO$v$p$c =+ \"3\"", "is not a setting"},
		{"PRAUTO$v$p$c =. \"3\"", "is not a setting"},
		{"PRAUTO$v$p$c[x] = \"3\"", "is not a setting"},
		{" PRAUTO$v$p$c = \"3\"", "is not a setting"},
		{"export PRAUTO$v$p$c = \"3\"", "is not a setting"},
		{"PRAUTO$v$p$c = \"3\" # x", "is not a setting"},
		{"PRAUTO$v$p$c = \"3\" \\", "is not a setting"},
		{"# x \\", "is not a setting"},
		{"PRAUTO$v@1$p$c = \"3\"", "is not a setting"},
		{"PRAUTO$v 1$p$c = \"3\"", "is not a setting"},
		{"require other.inc", "is not a setting"},
		{"\xef\xbb\xbf# x", "is not a setting"},
		{"\x00", "is not a setting"},
		{"PV = \"3\"", "not what a PR export sets"},
		{"PRSERV_HOST = \"x:1\"", "not what a PR export sets"},
		{"PRAUTO$v$p = \"3\"", "is not PRAUTO$VERSION$PKGARCH$CHECKSUM"},
		{"PRAUTO$v$p$c$d = \"3\"", "is not PRAUTO$VERSION$PKGARCH$CHECKSUM"},
		{"PRAUTO$$p$c = \"3\"", "is not what BitBake reads"},
		{"PRAUTO$v$p$c_append = \"3\"", "is not what BitBake reads"},
		{"PRAUTO${v}$p$c = \"3\"", "is not what BitBake reads"},
		{"PRAUTO$v$p$c = \"\"", "is no PR value"},
		{"PRAUTO$v$p$c = \"x\"", "is no PR value"},
		{"PRAUTO$v$p$c = \"3.\"", "is no PR value"},
		{"PRAUTO$v$p$c = \"9223372036854775808\"", "is no PR value"},
		{strings.Repeat("x", maxLine), "is longer than 1 MiB"},
	} {
		for _, end := range []string{"", "\n", "\r\nPRAUTO$v$p$d = \"3\"\n"} {
			_, _, err := readRows(t, Inc, "# first\n\n"+test.line+end, readOptions{})
			prservtest.WantOneLine(t, fmt.Sprintf("%.80q", test.line+end), err, "standard input or output:3: ", test.want)
		}
	}
}

// TestIncCut cuts an export at every byte. Nothing tells that a text ends
// between two lines; within one, no row may be read with another value.
func TestIncCut(t *testing.T) {
	for cut := range len(goldenExport) {
		text := goldenExport[:cut]
		rows, _, err := readRows(t, Inc, text, readOptions{})
		last := text[strings.LastIndexByte(text, '\n')+1:]
		whole := last == "" || last[0] == '#' || strings.HasSuffix(last, "\"") && !strings.HasSuffix(last, "= \"")
		if (err == nil) != whole {
			t.Errorf("%q: %v", last, err)
		}
		for _, r := range rows {
			if !slices.Contains(goldenRows, r) {
				t.Errorf("%q: read %v", last, r)
			}
		}
	}
}

// FuzzInc reads again what is written of what was read.
func FuzzInc(f *testing.F) {
	f.Add(goldenExport)
	f.Add("PRAUTO$v$p$c = \"3.0\"\r\nPRAUTO$v$p$c ?= '10'\nPRAUTO$v.+$$:=\" -3\"")
	f.Add("PRAUTO$v_append$p$c.=\"3\"")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := readRows(t, Inc, text, readOptions{})
		if err != nil {
			prservtest.WantOneLine(t, text, err)
			return
		}
		var out strings.Builder
		// From another place than to: only such copies are wanted.
		w := &Work{Stdout: &out}
		c, err := w.Copy(t.Context(), textPlace(t, "a.inc", text), Place{Inc, standard}, CopyOptions{All: true})
		if want := (Copied{New: int64(len(got))}); err != nil || c != want {
			t.Fatalf("%q: %+v, %v; want %+v", text, c, err, want)
		}
		again, _, err := readRows(t, Inc, out.String(), readOptions{})
		if err != nil {
			t.Fatalf("%q: %v of %q", text, err, out.String())
		}
		wantRows(t, text, sortedRows(again), sortedRows(got))
	})
}
