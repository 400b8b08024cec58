package main

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prserver/compat"
)

// manPage is the man page of the program.
const manPage = "bitbake-prserv.1"

// manual is what a document says of the program.
type manual struct {
	options   []string // as --help writes them: "-f DBFILE, --file=DBFILE"
	mentioned []string // long options, wherever they stand
	variables []string
}

// TestManual holds the README and the man page against the program: every
// option of --help and every variable stands in both, and no other.
func TestManual(t *testing.T) {
	options := groups(`(?m)^ +((?:-\w(?: [A-Z:]+)?, )?--[a-z-]+(?:=[A-Z:]+)?)`, compat.HelpText())
	names := groups(`(--[a-z-]+)`, strings.Join(options, "\n"))
	variables := variablesOfProgram(t)
	if len(options) < 13 || len(variables) < 18 {
		t.Fatalf("only %d options and %d variables were found in the program", len(options), len(variables))
	}
	for file, has := range map[string]manual{
		"README.md": readmeManual(readText(t, "README.md")),
		manPage:     pageManual(readText(t, manPage)),
	} {
		wantSame(t, file+": options", has.options, options)
		wantSame(t, file+": variables", has.variables, variables)
		for _, name := range has.mentioned {
			if !slices.Contains(names, name) {
				t.Errorf("%s has %s, which is no option", file, name)
			}
		}
	}
}

// readmeManual reads a README: options and variables are the first column of
// tables. Indented lines are commands, of other programs as well.
func readmeManual(text string) manual {
	text = regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(text, "")
	return manual{
		options:   groups("(?m)^\\| (-.*?) \\|", strings.ReplaceAll(text, "`", "")),
		mentioned: groups(`[^\w-](--[a-z][a-z-]*)`, text),
		variables: groups("(?m)^\\| `([A-Z_]+)` \\|", text),
	}
}

// pageManual reads a page in mdoc: options and variables are items of lists.
func pageManual(text string) manual {
	text = strings.NewReplacer(" Ns = Ns Ar ", "=", " Ar ", " ", "Fl ", "-", " ,", ",").Replace(text)
	return manual{
		options:   groups(`(?m)^\.It (-.*)$`, text),
		mentioned: groups(`[^\w-](--[a-z][a-z-]*)`, text),
		variables: groups(`(?m)^\.It Ev (\w+)$`, text),
	}
}

// variablesOfProgram returns the environment variables that set options, and
// those that the program reads itself.
func variablesOfProgram(t *testing.T) []string {
	t.Helper()
	asked := map[string]bool{}
	_, err := compat.ParseOptions([]string{"--foreground"}, func(name string) string {
		asked[name] = true
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", "../../compat", "../../prserv", "../../xmlrpc"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, name := range groups(`os\.(?:Getenv|LookupEnv)\("(\w+)"\)`, readText(t, path)) {
				asked[name] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return slices.Collect(maps.Keys(asked))
}

// TestManPageRenders lets mandoc and groff look for mistakes in the man page.
func TestManPageRenders(t *testing.T) {
	looked := false
	for _, command := range [][]string{
		{"mandoc", "-T", "lint", "-W", "warning", manPage},
		{"groff", "-ww", "-z", "-mandoc", "-Tutf8", manPage},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			continue
		}
		looked = true
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	if !looked {
		t.Skip("neither mandoc nor groff is here to render the man page")
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// groups returns what the group of a pattern has matched, each time.
func groups(pattern, text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

func wantSame(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s\n got  %q\n want %q", what, got, want)
	}
}
