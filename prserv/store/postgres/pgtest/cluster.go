// Package pgtest starts PostgreSQL for tests: clusters of their own, in temporary
// folders, on the loopback address.
//
// Start with [Database], for which a package needs a TestMain that calls [Main].
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for PostgreSQL on a busy machine.
const patience = 2 * time.Minute

// Cluster is a PostgreSQL with its data.
type Cluster struct {
	Port   int
	folder string // of the data, the log and the socket

	mu      sync.Mutex
	process *os.Process // guarded by mu; nil while it does not run
	ended   chan struct{}
}

// Start makes a cluster and starts it, until the test ends. Settings are lines of
// its configuration.
func Start(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c, err := New(fastFolder(), settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Remove)
	return c
}

// New makes a cluster in a temporary folder within a folder, which is the usual one
// if empty, and starts it. Settings are lines of its configuration.
func New(folder string, settings ...string) (*Cluster, error) {
	c, err := newFolder(folder)
	if err != nil {
		return nil, err
	}
	err = c.run("initdb", "--pgdata="+c.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err == nil {
		err = c.configure(settings...)
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		c.Remove()
		return nil, err
	}
	return c, nil
}

// newFolder makes the folder of a cluster, and chooses its port.
func newFolder(within string) (*Cluster, error) {
	folder, err := os.MkdirTemp(within, "pgtest")
	if err != nil {
		return nil, err
	}
	c := &Cluster{folder: folder}
	if as, err := owner(); err != nil {
		return nil, err
	} else if as != nil {
		if err := os.Chown(folder, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.Port = ln.Addr().(*net.TCPAddr).Port
	return c, ln.Close()
}

// memoryFolder is a folder in memory, and leastMemory is how much room it has to
// have: a test may make three clusters, and ten run at a time.
const (
	memoryFolder = "/dev/shm"
	leastMemory  = 4 << 30
)

// fastFolder returns where clusters are made, empty for the usual folder. They
// write to the disk after every call, which is most of a test's time on a disk
// that others use. Memory is as good: the tests kill processes, and no machine.
func fastFolder() string {
	var disk unix.Statfs_t
	if err := unix.Statfs(memoryFolder, &disk); err == nil && disk.Bavail*uint64(disk.Bsize) > leastMemory {
		return memoryFolder
	}
	return ""
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// AutoConf is the file of settings that ALTER SYSTEM has made.
func (c *Cluster) AutoConf() string { return filepath.Join(c.data(), "postgresql.auto.conf") }

// Addr is where the cluster listens.
func (c *Cluster) Addr() string { return fmt.Sprintf("127.0.0.1:%d", c.Port) }

// URL is that of a database.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", c.Addr(), database)
}

// configure adds lines to the configuration.
func (c *Cluster) configure(settings ...string) error {
	settings = append([]string{
		"listen_addresses = '127.0.0.1'", "port = " + strconv.Itoa(c.Port),
		"unix_socket_directories = '" + c.folder + "'",
		"shared_buffers = 32MB", "max_connections = 100", "autovacuum = off", "log_line_prefix = '%m [%p] '",
		"dynamic_shared_memory_type = mmap", // goes with the folder, also after a crash
		"wal_retrieve_retry_interval = 100ms",
	}, settings...)
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(strings.Join(settings, "\n") + "\n")
	return err
}

// Start starts the cluster, unless it runs.
func (c *Cluster) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		return nil
	}
	deadline := time.Now().Add(patience)
	for {
		err := c.start()
		// After a kill, its processes take a moment to see that they are alone.
		if err == nil || !strings.Contains(err.Error(), "shared memory block") || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *Cluster) start() error {
	logged := len(c.Log())
	log, err := os.OpenFile(filepath.Join(c.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd, err := command("postgres", "-D", c.data())
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT // nothing is left where the tests are killed
	started := make(chan error)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // whose death the signal tells of
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	c.process, c.ended = cmd.Process, ended
	err = c.waitUntilUp(ended)
	if err != nil {
		c.process.Kill()
		<-ended
		c.process = nil
		err = fmt.Errorf("%w: %s", err, c.Log()[logged:])
	}
	return err
}

// waitUntilUp returns once the cluster lets clients in.
func (c *Cluster) waitUntilUp(ended <-chan struct{}) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		var conn *pgx.Conn
		if conn, err = pgx.Connect(ctx, c.URL("postgres")); err == nil {
			conn.Close(ctx)
		}
		cancel()
		select {
		case <-ended:
			return errors.New("PostgreSQL has ended")
		default:
		}
		if err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("waited in vain for PostgreSQL: %w", err)
}

// Log returns what the cluster has logged.
func (c *Cluster) Log() string {
	text, _ := os.ReadFile(filepath.Join(c.folder, "log"))
	return string(text)
}

// Stop ends the cluster with a signal, and waits until it has ended: SIGINT rolls
// back what is open, SIGQUIT and SIGKILL are crashes.
func (c *Cluster) Stop(how syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return
	}
	c.process.Signal(how)
	<-c.ended
	c.process = nil
}

// Restart stops the cluster with a signal and starts it again.
func (c *Cluster) Restart(how syscall.Signal) error {
	c.Stop(how)
	return c.Start()
}

// Remove stops the cluster and removes its data.
func (c *Cluster) Remove() {
	c.Stop(syscall.SIGINT)
	os.RemoveAll(c.folder)
}

// run runs a program of PostgreSQL to its end.
func (c *Cluster) run(program string, args ...string) error {
	cmd, err := command(program, args...)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out.String())
	}
	return nil
}

// command prepares a program of PostgreSQL. They refuse to run as root.
func command(program string, args ...string) (*exec.Cmd, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	var path string
	newest := -1
	for _, f := range found {
		if version, err := strconv.Atoi(strings.Split(f, "/")[4]); err == nil && version > newest {
			path, newest = f, version
		}
	}
	if path == "" {
		var err error
		if path, err = exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("PostgreSQL is not installed, and these tests need it (Debian's package postgresql): %w", err)
		}
	}
	as, err := owner()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	return cmd, nil
}

// owner returns as whom PostgreSQL runs where this process is root; else nil.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}
