package compat

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pidPattern names the pid file of the server at an address.
// Source: lib/prserv/serv.py:PIDPREFIX.
const pidPattern = "/tmp/PRServer_%s_%s.pid"

// PidFile returns the path of the pid file of the server at ip and port.
func PidFile(ip string, port int) string {
	return fmt.Sprintf(pidPattern, ip, strconv.Itoa(port))
}

// OtherPorts returns the ports at ip that have a pid file.
func OtherPorts(ip string) []string {
	files, _ := filepath.Glob(fmt.Sprintf(pidPattern, ip, "*")) // fails for bad patterns only
	var ports []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pid")
		ports = append(ports, name[strings.LastIndexByte(name, '_')+1:])
	}
	return ports
}

// ReadPid returns the pid in a pid file, and 0 where the file does not exist.
func ReadPid(file string) (int, error) {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the pid file: %w", err)
	}
	defer f.Close()
	line, _ := bufio.NewReader(f).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, fmt.Errorf("pid file %s holds no pid: %q", file, line)
	}
	return pid, nil
}

// WritePid writes pid to a new pid file.
func WritePid(file string, pid int) error {
	// O_EXCL follows no link that somebody has planted in /tmp.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("writing the pid file: %w", err)
	}
	_, err = fmt.Fprintf(f, "%d\n", pid)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(file)
		return fmt.Errorf("writing the pid file: %w", err)
	}
	return nil
}

// IsRunning tells whether a process exists.
// Source: lib/prserv/serv.py:is_running.
func IsRunning(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
