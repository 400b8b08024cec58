package dbfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Deleted returns the names of the databases and write-ahead logs that a process
// has open although they have been deleted: what it stores there is gone when it
// ends. Another user's process has none that can be seen.
func Deleted(pid int) []string {
	const mark = " (deleted)"
	opened, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // fails for bad patterns only
	var deleted []string
	for _, fd := range opened {
		name, err := os.Readlink(fd)
		if err == nil && strings.HasSuffix(name, mark) && isOfSQLite(fd) {
			deleted = append(deleted, strings.TrimSuffix(name, mark))
		}
	}
	return deleted
}

// isOfSQLite tells by its first bytes whether a file is a database or a
// write-ahead log.
func isOfSQLite(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(magic)) // of a shorter file the rest is 0
	f.ReadAt(begin, 0)
	return bytes.Equal(begin, magic) || isLogMagic(binary.BigEndian.Uint32(begin))
}
