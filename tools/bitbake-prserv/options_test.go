package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOptionsGolden compares what the program prints for wrong, abbreviated
// and oddly written options with recordings of the Python program.
func TestOptionsGolden(t *testing.T) {
	for _, dialect := range []string{"py2", "py3"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "options", dialect+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		cases := strings.Split(strings.TrimSuffix(string(text), "\n\n"), "\n\n")
		for _, want := range cases {
			line, _, _ := strings.Cut(want, "\n")
			args := strings.Fields(strings.TrimPrefix(line, "$ "))
			t.Run(dialect+"/"+strings.Join(args, " "), func(t *testing.T) {
				got := line + "\n" + record(t, args)
				// Python 2 says "an argument" where Python 3, and we, say "1 argument".
				want := strings.ReplaceAll(want, "option requires an argument", "option requires 1 argument")
				if got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// record runs the program and returns what it printed, in the format of the
// recordings. It leaves our own options, which stand last, out of the help.
func record(t *testing.T, args []string) string {
	t.Helper()
	var out, errs strings.Builder
	code := run(t.Context(), append([]string{"bitbake-prserv"}, args...), &out, &errs)
	printed, ours, isHelp := strings.Cut(out.String(), "\n  Options that the Python program does not have:\n")
	if isHelp && !strings.Contains(ours, "--foreground") {
		t.Errorf("our own options are not in the help: %q", ours)
	}
	return prefixed("out: ", printed) + prefixed("err: ", errs.String()) + fmt.Sprintf("exit: %d", code)
}

func prefixed(prefix, text string) string {
	var b strings.Builder
	for _, line := range strings.SplitAfter(text, "\n") {
		if line != "" {
			b.WriteString(prefix + line)
		}
	}
	return b.String()
}
