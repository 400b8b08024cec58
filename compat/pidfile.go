package compat

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pidPattern is the path of the pid file of the server at an address.
// Source: lib/prserv/serv.py:PIDPREFIX.
const pidPattern = "/tmp/PRServer_%s_%s.pid"

// PidFile returns the path of the pid file of the server at ip and port.
func PidFile(ip string, port int) string {
	return fmt.Sprintf(pidPattern, ip, strconv.Itoa(port))
}

// OtherPorts returns all ports at ip that have a pid file.
func OtherPorts(ip string) []string {
	files, _ := filepath.Glob(fmt.Sprintf(pidPattern, ip, "*")) // fails for bad patterns only
	var ports []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pid")
		ports = append(ports, name[strings.LastIndexByte(name, '_')+1:])
	}
	return ports
}

// noPidFile is said of a file that is not what a PR server leaves.
const noPidFile = "it is no pid file of a PR server; look at it and remove it"

// ReadPid returns the pid in a pid file, and 0 if the file does not exist or is
// empty, as a power failure may leave it. Anybody who can write to /tmp can put
// something else there, so it follows no link, and returns an error if the file
// holds no pid.
func ReadPid(file string) (int, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case os.IsNotExist(err):
		return 0, nil
	case errors.Is(err, unix.ELOOP):
		return 0, fmt.Errorf("pidfile %s is a symbolic link: %s", file, noPidFile)
	case err != nil:
		return 0, fmt.Errorf("reading the pid file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if info, statErr := f.Stat(); err == nil && statErr == nil && info.Mode().IsRegular() && len(text) == 0 {
		return 0, nil
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("pidfile %s holds %q: %s", file, line, noPidFile)
	}
	return pid, nil
}

// WritePid writes pid to a new pid file. It returns an error if the file exists.
//
// The file stays open until remove is called, so that others can see whose it
// is. If somebody has replaced it by then, remove leaves that alone.
func WritePid(file string, pid int) (remove func(), err error) {
	// O_EXCL does not follow a link either.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("writing the pid file: %w; make its folder, or name another file with --pidfile", err)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the pid file: %w", err)
	}
	remove = func() {
		have, err := f.Stat()
		named, namedErr := os.Lstat(file)
		if err == nil && namedErr == nil && os.SameFile(have, named) {
			os.Remove(file)
		}
		f.Close()
	}
	if _, err := fmt.Fprintf(f, "%d\n", pid); err != nil {
		remove()
		return nil, fmt.Errorf("writing the pid file: %w", err)
	}
	return remove, nil
}

// RemoveStalePid removes the pid file of a server that has ended. It returns an
// error if the file belongs to another user, even if the system would let this
// one remove it.
func RemoveStalePid(file string) error {
	var st unix.Stat_t
	if err := unix.Lstat(file, &st); err != nil {
		return fmt.Errorf("removing the pid file: %w", &os.PathError{Op: "lstat", Path: file, Err: err})
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("pidfile %s belongs to another user (uid %d); have it removed", file, st.Uid)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("removing the pid file: %w", err)
	}
	return nil
}
