package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A buildhistory has a file packages/SYSTEM/PN/PACKAGE/latest for each
// package, of lines such as PKGR = r0.7. SYSTEM is MULTIMACH_TARGET_SYS, so
// PACKAGE_ARCH, TARGET_VENDOR, - and TARGET_OS.
//
// Source: buildhistory.bbclass:write_pkghistory and BUILDHISTORY_DIR_PACKAGE.

// packagesFolder is the folder of a buildhistory that has the packages.
const packagesFolder = "packages"

// latestFile matches the path of a package's file within a buildhistory.
var latestFile = regexp.MustCompile(`^packages/([^/]+)/([^/]+)/([^/]+)/latest$`)

// isBuildhistory tells whether a folder is one.
func isBuildhistory(folder string) bool {
	found, err := filepath.Glob(filepath.Join(escapeGlob(folder), packagesFolder, "*", "*", "*", "latest"))
	return err == nil && len(found) > 0
}

func escapeGlob(path string) string {
	return regexp.MustCompile(`([*?\[\\])`).ReplaceAllString(path, `\$1`)
}

// readBuildhistory reads the latest version of each package.
func (r *reader) readBuildhistory(folder string) error {
	root := filepath.Join(folder, packagesFolder)
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return readingError(path, err)
		}
		relative, err := filepath.Rel(folder, path)
		match := latestFile.FindStringSubmatch(filepath.ToSlash(relative))
		if err != nil || match == nil || !entry.Type().IsRegular() {
			return nil
		}
		r.progress(folder, -1)
		file, err := os.Open(path)
		if err != nil {
			return readingError(path, err)
		}
		defer file.Close()
		return r.takeLatest(file, path, match)
	})
}

// readingError names a file that cannot be read.
func readingError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// takeLatest passes on the package that a file describes.
func (r *reader) takeLatest(file io.Reader, name string, match []string) error {
	set, err := readLatest(file)
	var line *lineError
	switch {
	case errors.As(err, &line):
		return fmt.Errorf("%s:%d: %w", name, line.line, line.err)
	case err != nil:
		return readingError(name, err)
	}
	recorded := &Recorded{PE: set["PE"], PV: set["PV"], PR: set["PR"]}
	if recorded.PE == "0" {
		recorded.PE = ""
	}
	if recorded.PV == "" || recorded.PR == "" {
		return fmt.Errorf("%s: it sets no PV or no PR", name)
	}
	or := func(name, otherwise string) string {
		if value, ok := set[name]; ok {
			return value
		}
		return otherwise
	}
	p := &Package{Format: Buildhistory, Recipe: match[2], Arch: match[1], Recorded: recorded, File: name,
		Name: or("PKG", match[3]), Epoch: or("PKGE", recorded.PE), Version: or("PKGV", recorded.PV), Release: or("PKGR", recorded.PR)}
	if p.Epoch == "0" {
		p.Epoch = ""
	}
	return r.take(p, "")
}

// readLatest returns the variables that a file sets and that count. Other
// lines may be long: FILELIST has the names of all files.
func readLatest(file io.Reader) (map[string]string, error) {
	in := bufio.NewReader(file)
	set := map[string]string{}
	for line := 1; ; line++ {
		text, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		name, value, ok := bytes.Cut(text, []byte("="))
		name, value = bytes.TrimSpace(name), bytes.Trim(bytes.TrimSpace(value), `"`)
		switch string(name) {
		case "PE", "PV", "PR", "PKG", "PKGE", "PKGV", "PKGR":
			if !ok || long || !utf8.Valid(value) {
				return nil, &lineError{line, fmt.Errorf("%.40q sets no version", text)}
			}
			set[string(name)] = string(value)
		default:
			if !ok && !long && len(bytes.TrimSpace(text)) > 0 {
				return nil, &lineError{line, fmt.Errorf("%.40q sets nothing", bytes.TrimSpace(text))}
			}
		}
		for long {
			_, err = in.ReadSlice('\n')
			long = errors.Is(err, bufio.ErrBufferFull)
		}
		if errors.Is(err, io.EOF) {
			return set, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// archsOf returns what PACKAGE_ARCH may be in MULTIMACH_TARGET_SYS, the most
// likely first. TARGET_VENDOR is nearly always one word, with a minus before
// it.
//
// Source: bitbake.conf, TARGET_VENDOR and TARGET_OS.
func archsOf(system string) []string {
	arch := system
	for _, of := range []string{"-linux", "-mingw32", "-darwin"} {
		if i := strings.LastIndex(arch, of); i > 0 {
			arch = arch[:i]
			break
		}
	}
	if i := strings.LastIndexByte(arch, '-'); i > 0 {
		return []string{arch[:i], arch}
	}
	return []string{arch}
}
