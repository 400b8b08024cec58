package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"prserver/prserv/place"
)

// hostVariable is what BitBake calls the server that it asks.
const hostVariable = "PRSERV_HOST"

// endings returns how the names of places end that are files, without points.
func endings() []string {
	var names []string
	for ending := range place.Endings {
		names = append(names, strings.TrimPrefix(ending, "."))
	}
	slices.Sort(names)
	return names
}

// formatOption adds --format, for places whose names do not tell what they are.
func formatOption(cmd *cobra.Command, format *string) {
	formats := make([]string, 0, len(place.Formats))
	for name := range place.Formats {
		formats = append(formats, name)
	}
	slices.Sort(formats)
	cmd.Flags().Var(word{format, "FORMAT"}, "format", "what - and files with other endings are: "+
		strings.Join(formats[:len(formats)-1], ", ")+" or "+formats[len(formats)-1])
	complete(cmd, "format", formats)
}

// word is the text of an option, and what help calls it. With a name in
// backquotes, completion would have those, too.
type word struct {
	text *string
	name string
}

func (w word) Set(text string) error { *w.text = text; return nil }
func (w word) String() string        { return "" } // no option has a default
func (w word) Type() string          { return w.name }

// complete says which values an option has.
func complete(cmd *cobra.Command, option string, values []string) {
	err := cmd.RegisterFlagCompletionFunc(option, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // there is no such option
	}
}

// placeOf returns the place that an argument names, or if there are fewer
// arguments, the server of PRSERV_HOST.
func placeOf(args []string, index int, format string) (place.Place, error) {
	if len(args) > index {
		return parse(args[index], format)
	}
	if strings.TrimSpace(os.Getenv(hostVariable)) == "" {
		return place.Place{}, errors.New("which place? Name a HOST:PORT or a file, or set " + hostVariable)
	}
	return serverOf(nil)
}

// serverOf returns the server that the first argument names, or without
// arguments, that of PRSERV_HOST.
func serverOf(args []string) (place.Place, error) {
	if len(args) > 0 {
		return parseServer(args[0])
	}
	host := strings.TrimSpace(os.Getenv(hostVariable))
	if host == "" {
		return place.Place{}, errors.New("which server? Name its HOST:PORT, or set " + hostVariable)
	}
	server, err := parseServer(host)
	if err != nil {
		return server, fmt.Errorf("%s: %w", hostVariable, err)
	}
	return server, nil
}

func parseServer(name string) (place.Place, error) {
	if err := checkPort(name); err != nil {
		return place.Place{}, err
	}
	server, err := place.Parse(name, "")
	switch {
	case err == nil && server.Kind == place.PostgreSQL:
		return server, fmt.Errorf("%s is no server to ask; name the HOST:PORT of one that serves it", server)
	case err != nil || server.Kind != place.Server:
		// What Parse says is about files.
		return server, fmt.Errorf("%q is no HOST:PORT; write it like prhost.example:8585", place.Place{Name: name})
	}
	return server, nil
}

func parse(name, format string) (place.Place, error) {
	if err := checkPort(name); err != nil {
		return place.Place{}, err
	}
	return place.Parse(name, format)
}

// ownFile is the database of the server that BitBake starts for a build, in the
// build folder, unless its configuration sets PERSISTENT_DIR.
// Source: lib/prserv/serv.py:auto_start; oe-core, meta/conf/bitbake.conf.
const ownFile = "cache/prserv.sqlite3"

// checkPort returns an error for a port that is too large, and for what only
// BitBake takes for a server. That error names the file that has the values.
func checkPort(name string) error {
	host, port, ok := strings.Cut(name, ":")
	if !ok || strings.Contains(host, "/") {
		return nil
	}
	if n, _ := strconv.ParseUint(port, 10, 64); n > math.MaxUint16 { // 0 if it is no number, the most if it is beyond 64 bits
		return fmt.Errorf("the port of %s is too large; the greatest is %d", name, math.MaxUint16)
	}
	if port != "0" {
		return nil
	}
	has := "whose values are in " + ownFile + " of the build folder"
	for _, folder := range []string{"", os.Getenv("BUILDDIR")} { // oe-init-build-env sets it
		file := filepath.Join(folder, ownFile)
		if _, err := os.Stat(file); err == nil {
			has = "whose values are in " + file
			break
		}
	}
	return fmt.Errorf("%s is no server to ask: BitBake starts one of its own for every build, %s; name that file", name, has)
}

// databaseURL is how the URL of a PostgreSQL database begins.
const databaseURL = "postgres://"

// completePlaces completes up to a number of places.
func completePlaces(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if len(begun) > 1 && strings.HasPrefix(databaseURL, begun) { // what comes next follows without a space
			return append([]cobra.Completion{databaseURL}, files(begun)...), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		host := os.Getenv(hostVariable)
		if host == "" || !strings.HasPrefix(host, begun) {
			return endings(), cobra.ShellCompDirectiveFilterFileExt // the shell is better at files
		}
		// It would not take the host beside them.
		return append([]cobra.Completion{host}, files(begun)...), cobra.ShellCompDirectiveNoFileComp
	}
}

// files returns the files that a place may be and the folders, of those of the
// current folder whose names begin like that.
func files(begun string) []string {
	entries, _ := os.ReadDir(".") // whoever completes hears of no errors
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case !strings.HasPrefix(name, begun), strings.HasPrefix(name, ".") && begun == "":
		case entry.IsDir():
			found = append(found, name+"/")
		case place.KindOf(name) != 0:
			found = append(found, name)
		}
	}
	return found
}

// completeFile completes the first argument, which is a file with any ending.
func completeFile(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeServer completes the first argument.
func completeServer(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	host := os.Getenv(hostVariable)
	if len(args) > 0 || host == "" || !strings.HasPrefix(host, begun) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{host}, cobra.ShellCompDirectiveNoFileComp
}
