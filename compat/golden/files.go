package golden

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const fileEnding = ".txt"

// ReadDir reads every session file of a folder, in the order of their names. The error wraps os.ErrNotExist if there
// is none.
func ReadDir(dir string) ([]Session, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+fileEnding))
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("listing sessions: no *%s in %s: %w", fileEnding, dir, os.ErrNotExist)
	}
	sessions := make([]Session, 0, len(paths))
	for _, path := range paths {
		session, err := readFile(path)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	slices.SortFunc(sessions, func(a, b Session) int { return cmp.Compare(a.Name, b.Name) })
	return sessions, nil
}

func readFile(path string) (Session, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Session{}, fmt.Errorf("reading a session: %w", err)
	}
	session, err := parse(text)
	if err != nil {
		return Session{}, fmt.Errorf("reading %s: %w", path, err)
	}
	session.Name = strings.TrimSuffix(filepath.Base(path), fileEnding)
	return session, nil
}

// WriteFile writes a session into the folder dir. It leaves a file that already says the same untouched, and reports
// whether it wrote.
func WriteFile(dir string, session Session) (bool, error) {
	path := filepath.Join(dir, session.Name+fileEnding)
	text := format(session)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return false, fmt.Errorf("writing a session: %w", err)
	}
	return true, nil
}
