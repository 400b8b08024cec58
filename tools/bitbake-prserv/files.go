package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"prserver/compat"
	"prserver/prserv/dbfile"
)

// purpose is what a server needs a file for.
type purpose struct {
	option, file string
	what         string
	besides      []string // what the names of further files have behind that of file
}

// checkFiles returns an error where these options name a file for two purposes, or a
// database for the log: the server would write one thing into another.
func checkFiles(opts compat.Options) error {
	var taken []purpose
	for _, p := range purposesOf(opts) {
		for _, other := range taken {
			if p.meets(other) {
				return fmt.Errorf("%s %s is the server's already, for %s; give another file", p.option, p.file, other.what)
			}
		}
		taken = append(taken, p)
	}
	if hasLog(opts) && dbfile.IsSQLite(opts.Log) {
		return fmt.Errorf("--log %s is a SQLite database; give another file", opts.Log)
	}
	return nil
}

// hasLog tells whether the log goes to a file.
func hasLog(opts compat.Options) bool { return !opts.Foreground || opts.Given["--log"] }

// purposesOf returns what files a server with these options writes, or makes.
func purposesOf(opts compat.Options) (all []purpose) {
	companions := []string{"-wal", "-shm", "-journal"}
	if opts.Database == "" {
		all = append(all, purpose{"--file", opts.File, "the database", append(companions, "-lock")})
	}
	if file := historyOf(opts); file != "" {
		all = append(all, purpose{"--history", file, "the history", companions})
	}
	if hasLog(opts) {
		all = append(all, purpose{"--log", opts.Log, "the log", nil})
	}
	if opts.PidFile != "" {
		all = append(all, purpose{"--pidfile", opts.PidFile, "the pid file", nil})
	}
	return all
}

// meets tells whether two purposes need the same file.
func (p purpose) meets(other purpose) bool {
	names := other.names()
	return slices.ContainsFunc(p.names(), func(name string) bool { return slices.Contains(names, name) }) || isSame(p.file, other.file)
}

// names returns the paths of the files, without symbolic links as far as they exist.
func (p purpose) names() []string {
	path, err := dbfile.Resolve(p.file)
	if err != nil {
		path = p.file // whoever opens it tells what is wrong
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path))
	}
	names := []string{path}
	for _, more := range p.besides {
		names = append(names, path+more)
	}
	return names
}

// isSame tells whether two names are of one file, as hard links are.
func isSame(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && x.Mode().IsRegular() && os.SameFile(x, y)
}
