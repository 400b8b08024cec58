package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// output runs a command line that has to go well and to be silent on stderr,
// and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"prserv-tool"}, args...), strings.NewReader(""), &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 && args[0] != cobra.ShellCompRequestCmd {
		t.Fatalf("%q: exit code %d, stderr %q", args, code, stderr.String())
	}
	return stdout.String()
}

// all returns the program and its verbs.
func all() []*cobra.Command {
	root := newProgram(strings.NewReader(""), io.Discard, io.Discard).commands()
	return append([]*cobra.Command{root}, root.Commands()...)
}

// path returns how a verb is called.
func path(cmd *cobra.Command) []string { return strings.Fields(cmd.CommandPath())[1:] }

func TestHelp(t *testing.T) {
	for _, cmd := range all() {
		help := output(t, append(path(cmd), "--help")...)
		examples, options, found := strings.Cut(help[strings.Index(help, "\nExamples:\n")+1:], "\n\n")
		if n := strings.Count(examples, "\n"); n < 2 || n > 3 || !found {
			t.Errorf("%s: %d examples, want 2 or 3:\n%s", cmd.CommandPath(), n, help)
		}
		for line := range strings.Lines(help) {
			if len(line) > 81 {
				t.Errorf("%s: a line of %d characters: %s", cmd.CommandPath(), len(line)-1, line)
			}
		}
		for line := range strings.Lines(examples) {
			if line != "Examples:\n" && !strings.Contains(line, "prserv-tool "+strings.Join(path(cmd), " ")) {
				t.Errorf("%s: an example of something else: %s", cmd.CommandPath(), line)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(options, "--"+f.Name) {
				t.Errorf("%s: --help misses --%s:\n%s", cmd.CommandPath(), f.Name, help)
			}
		})
	}
}

func TestManPagesAreComplete(t *testing.T) {
	pages, err := manPages(all()[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, cmd := range all() {
		name := strings.Join(strings.Fields(cmd.CommandPath()), "-")
		text := string(pages[i].text)
		if pages[i].name != name+".1" || !strings.Contains(string(pages[0].text), name) {
			t.Errorf("page %d is %s, want that of %s, which the first page names", i, pages[i].name, name)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(text, `\fB--`+f.Name+`\fP`) {
				t.Errorf("%s misses --%s:\n%s", name, f.Name, text)
			}
		})
		for _, cobras := range []string{"0001", "[=", `=""`, "spf13", "[flags]"} {
			if strings.Contains(text, cobras) {
				t.Errorf("%s has %q:\n%s", name, cobras, text)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(text, strings.TrimSpace(line)) {
				t.Errorf("%s misses the example %s:\n%s", name, line, text)
			}
		}
	}
}

func TestCompletionIsComplete(t *testing.T) {
	verbs := output(t, cobra.ShellCompRequestCmd, "")
	for _, cmd := range all()[1:] {
		if !strings.Contains(verbs, cmd.Name()+"\t"+cmd.Short+"\n") {
			t.Errorf("%s is missing:\n%s", cmd.Name(), verbs)
		}
	}
	for _, cmd := range all() {
		options := output(t, append(append([]string{cobra.ShellCompRequestCmd}, path(cmd)...), "--")...)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(options, "--"+f.Name+"\t"+f.Usage+"\n") {
				t.Errorf("%s: --%s is missing:\n%s", cmd.CommandPath(), f.Name, options)
			}
		})
	}
}
