package feed

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The names of indexes, the preferred one first. All of a folder say the same.
var indexNames = []string{"Packages", "Packages.gz", "Packages.zst", "Packages.xz"}

// repomd is the file that names the index of a repository of rpms.
const repomd = "repodata/repomd.xml"

// packageEndings are the ends of the names of single packages.
var packageEndings = []string{".ipk", ".opk", ".deb", ".rpm"}

// Recognise tells whether a name is that of a feed: an http or https address,
// an index, a single package, or a folder, which exists or ends in a slash.
func Recognise(name string) bool {
	if isAddress(name) || isFeedFile(filepath.Base(name)) || strings.HasSuffix(name, "/") {
		return true
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// isFeedFile tells whether a file is an index or a package, by its name.
func isFeedFile(base string) bool {
	return slices.Contains(indexNames, base) || isPrimary(base) || isPackage(base)
}

func isPackage(base string) bool { return slices.Contains(packageEndings, path.Ext(base)) }

// isPrimary tells whether a file is the index of a repository of rpms. Its name
// begins with a checksum, unless somebody has renamed it.
func isPrimary(base string) bool {
	for _, ending := range []string{"", ".gz", ".zst", ".xz"} {
		if base == "primary.xml"+ending || strings.HasSuffix(base, "-primary.xml"+ending) {
			return true
		}
	}
	return false
}

// read reads what a name means.
func (r *reader) read(ctx context.Context, name string) error {
	switch {
	case name == "-":
		return r.readIndex(ctx, r.Stdin, "standard input", "", -1)
	case isAddress(name):
		return r.readAddress(ctx, name)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return readingError(name, err)
	case !info.IsDir():
		return r.readFile(ctx, name)
	}
	found, err := r.readFolder(ctx, filepath.Clean(name), 0)
	if err == nil && !found {
		return fmt.Errorf("%s is no feed: it has neither Packages nor repodata, no packages, and it is no buildhistory", name)
	}
	return err
}

// maxDepth is how many folders a feed may be within another: deploy/ipk has
// one for each architecture, and those may have more, as
// package_ipk.bbclass:IPK_HIERARCHICAL_FEED makes them.
const maxDepth = 6

// readFolder reads a folder, and tells whether it has anything of a feed. An
// index says all about its folder and the folders in that; deploy/ipk has an
// empty one beside its folders.
//
// Source: meta/lib/oe/package_manager, Indexer.write_index.
func (r *reader) readFolder(ctx context.Context, folder string, depth int) (found bool, err error) {
	if depth == 0 && isBuildhistory(folder) {
		if r.History {
			return true, r.readHistory(ctx, folder)
		}
		return true, r.readBuildhistory(folder)
	}
	if depth == 0 && filepath.Base(folder) == "repodata" {
		folder = filepath.Dir(folder)
	}
	if index, err := primaryOf(folder); err != nil || index != "" {
		if err != nil {
			return true, err
		}
		return true, r.readFile(ctx, filepath.Join(folder, index))
	}
	for _, name := range indexNames {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		found = true
		if info.Size() > 0 {
			return true, r.readFile(ctx, filepath.Join(folder, name))
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return found, readingError(folder, err)
	}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		kind := entry.Type()
		if kind == fs.ModeSymlink { // a feed may be links to a pool of packages
			if info, err := os.Stat(name); err == nil {
				kind = info.Mode().Type()
			} else if isPackage(name) {
				return found, readingError(name, err)
			}
		}
		switch {
		case kind.IsDir() && depth < maxDepth:
			inside, err := r.readFolder(ctx, name, depth+1)
			if err != nil {
				return found, err
			}
			found = found || inside
		case kind.IsRegular() && isPackage(name):
			found = true
			if err := r.readFile(ctx, name); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// primaryOf returns the index of a repository of rpms, by its path within the
// folder, or "".
func primaryOf(folder string) (string, error) {
	name := filepath.Join(folder, repomd)
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", readingError(name, err)
	}
	defer file.Close()
	return primaryIn(file, name)
}

// maxRepomd bounds a repomd.xml. It has a few lines for each index.
const maxRepomd = 1 << 20

// primaryIn returns the path of primary.xml that a repomd.xml names.
func primaryIn(file io.Reader, name string) (string, error) {
	var md struct {
		Data []struct {
			Type     string `xml:"type,attr"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
		} `xml:"data"`
	}
	if err := xml.NewDecoder(io.LimitReader(file, maxRepomd)).Decode(&md); err != nil {
		return "", fmt.Errorf("%s: it is no index of a repository (%w)", name, err)
	}
	for _, d := range md.Data {
		if d.Type != "primary" {
			continue
		}
		if !fs.ValidPath(d.Location.Href) {
			return "", fmt.Errorf("%s: it names an index outside of its folder, %.60q", name, d.Location.Href)
		}
		return d.Location.Href, nil
	}
	return "", fmt.Errorf("%s: it names no index of packages (primary)", name)
}

// readFile reads an index or a package.
func (r *reader) readFile(ctx context.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return readingError(name, err)
	}
	defer file.Close()
	size := int64(-1)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	folder := ""
	if absolute, err := filepath.Abs(name); err == nil {
		folder = filepath.Base(filepath.Dir(absolute))
	}
	return r.readNamed(ctx, file, name, filepath.Base(name), folder, size)
}

// readNamed reads an index or a package, of which base is the name without
// folders and folder that of the folder.
func (r *reader) readNamed(ctx context.Context, in io.Reader, name, base, folder string, size int64) error {
	if !isPackage(base) {
		return r.readIndex(ctx, in, name, folder, size)
	}
	counted := &counter{ctx: ctx, in: in, left: -1}
	r.progress(name, -1)
	var err error
	if path.Ext(base) == ".rpm" {
		var f *rpmFields
		if f, err = readRpm(counted); err == nil {
			return r.takeRpm(f, name, 0)
		}
	} else {
		var p *paragraph
		if p, err = readArchive(counted); err == nil {
			if p.filename == "" {
				p.filename = base
			}
			if err = r.takeParagraph(p, name, 0, folder); err == nil {
				return nil
			}
		}
	}
	return fileError(name, err)
}
