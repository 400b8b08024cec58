package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prserver/compat"
)

// TestDocumentedCommands parses every command of ours that an indented line of
// a README has, without running it.
func TestDocumentedCommands(t *testing.T) {
	parsed := map[string]int{}
	for file, text := range readmes(t) {
		for line := range strings.Lines(text) {
			command, isCommand := strings.CutPrefix(line, "    ")
			if !isCommand {
				continue
			}
			words := wordsOf(command)
			if len(words) == 0 {
				continue
			}
			var err error
			switch name := filepath.Base(words[0]); name {
			case "prserv-tool":
				err = parseCommand(words[1:])
				parsed[name]++
			case "bitbake-prserv":
				_, err = compat.ParseOptions(words[1:], func(string) string { return "" })
				parsed[name]++
			}
			if err != nil {
				t.Errorf("%s: %s%v", file, line, err)
			}
		}
	}
	if parsed["prserv-tool"] < 15 || parsed["bitbake-prserv"] < 8 {
		t.Errorf("only these commands were found: %v", parsed)
	}
}

// variables are what the guide to moving calls its places.
var variables = strings.NewReplacer("$HOST", "127.0.0.1", "$PORT", "8585", "$OLD", "old.sqlite3", "$NEW", "new.sqlite3", "$DATABASE", "postgres://u@h/db")

// wordsOf returns the first command of a line of shell.
func wordsOf(line string) []string {
	line, _, _ = strings.Cut(line, " #")
	var words []string
	for _, word := range strings.Fields(variables.Replace(strings.TrimPrefix(line, "$ "))) {
		switch word {
		case "sudo":
			continue
		case "|", "||", "&&", ">>":
			return words
		}
		words = append(words, strings.Trim(word, "'"))
	}
	return words
}

// parseCommand parses the arguments of prserv-tool, down to its places.
func parseCommand(args []string) error {
	p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
	root := p.commands()
	if err := checkVerb(root, args[0]); err != nil {
		return err
	}
	verb, args, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := verb.ParseFlags(args); err != nil {
		return err
	}
	args = verb.Flags().Args()
	if err := verb.ValidateArgs(args); err != nil {
		return err
	}
	if !slices.Contains([]string{"copy", "diff", "list", "check"}, verb.Name()) {
		return nil
	}
	for _, arg := range args {
		if _, err := parse(arg, ""); err != nil {
			return err
		}
	}
	return nil
}

// TestDocumentedFiles looks for every file that a README links to, or names
// from the top of the repository.
func TestDocumentedFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):]+)\)`)
	name := regexp.MustCompile("`((?:compat|prserv|scripts|testdata|tools|xmlrpc)/[^` ]*)")
	for file, text := range readmes(t) {
		var paths []string
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			paths = append(paths, filepath.Join(filepath.Dir(file), found[1]))
		}
		for _, found := range name.FindAllStringSubmatch(text, -1) {
			paths = append(paths, filepath.Join("..", "..", found[1]))
		}
		for _, path := range paths {
			if found, err := filepath.Glob(path); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", file, path)
			}
		}
	}
}

// readmes returns the texts of all files README.md of the repository.
func readmes(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..":
			return fs.SkipDir // the modules of others may be there
		case err != nil || entry.Name() != "README.md":
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 6 {
		t.Fatalf("only %d files README.md were found", len(texts))
	}
	return texts
}
