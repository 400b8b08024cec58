package compat_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"prserver/compat"
)

func TestReadPid(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(write("target", "12\n"), link); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path string
		want       int
		bad        bool
	}{
		{"none", filepath.Join(dir, "none"), 0, false},
		{"pid", write("pid", "1234\n"), 1234, false},
		{"without newline", write("bare", "1234"), 1234, false},
		{"more lines", write("lines", "1234\nx\n"), 1234, false},
		{"empty", write("empty", ""), 0, false},
		{"text", write("text", "x\n"), 0, true},
		{"all processes", write("minus", "-1\n"), 0, true},
		{"own group", write("zero", "0\n"), 0, true},
		{"link", link, 0, true},
		{"folder", dir, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := compat.ReadPid(test.path)
			if got != test.want || (err != nil) != test.bad {
				t.Errorf("got %d, %v, want %d, an error: %v", got, err, test.want, test.bad)
			}
		})
	}
}

func TestWritePidOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "pid")
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, victim} {
		if _, err := compat.WritePid(path, 1); err == nil {
			t.Errorf("a pid file was written over %s", path)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "kept" {
		t.Errorf("the victim holds %q, %v", text, err)
	}
}

// TestWritePidRemovesItsOwn: somebody else may have taken over the name.
func TestWritePidRemovesItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	remove, err := compat.WritePid(path, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := compat.OpenedBy(os.Getpid()); err != nil || !opened.Has(path) {
		t.Errorf("nobody can see whose pid file it is: %v, %v", opened, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next, err := compat.WritePid(path, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if pid, err := compat.ReadPid(path); err != nil || pid != os.Getpid() {
		t.Errorf("the next pid file has %d, %v", pid, err)
	}
	next()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the pid file is left: %v", err)
	}
}

// TestRemoveStalePidOfAnotherUser needs root to make such a file, and a second
// user, whom some containers do not have.
func TestRemoveStalePidOfAnotherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, []byte("1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	err := os.Chown(path, os.Geteuid()+1, -1)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("a file cannot be given to another user: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := compat.RemoveStalePid(path); err == nil {
		t.Error("another user's file was removed")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestIsServer(t *testing.T) {
	if !compat.IsServer(os.Getpid()) {
		t.Error("this program does not know itself")
	}
	if pid1 := 1; compat.IsRunning(pid1) && compat.IsServer(pid1) {
		t.Error("the first process is taken for a PR server")
	}
	if compat.IsServer(1 << 30) {
		t.Error("a process that does not exist is taken for a PR server")
	}
}

// TestThreadIsNoProcess: processes and threads are numbered alike.
func TestThreadIsNoProcess(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	thread := make(chan int)
	for range 2 { // one of them may be the first thread, which has the number of the process
		go func() {
			runtime.LockOSThread()
			thread <- unix.Gettid()
			<-release
		}()
		if id := <-thread; id != os.Getpid() && compat.IsRunning(id) {
			t.Errorf("thread %d is taken for a process", id)
		}
	}
}

// TestKilledIsKnown looks at processes as soon as they are killed.
func TestKilledIsKnown(t *testing.T) {
	for range 50 {
		cmd := exec.Command("sleep", "infinity")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if compat.IsKilled(cmd.Process.Pid) {
			t.Error("a process is taken to be killed that is not")
		}
		cmd.Process.Kill()
		if !compat.IsKilled(cmd.Process.Pid) && compat.IsRunning(cmd.Process.Pid) {
			t.Error("a process that was killed is taken to go on")
		}
		cmd.Wait()
	}
}

// TestZombieIsGone checks that a process that has ended does not count as running,
// though its parent has not asked for its exit code.
func TestZombieIsGone(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	// Wait for the end, and leave the zombie.
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if compat.IsRunning(cmd.Process.Pid) {
		t.Error("a process that has ended is taken to be running")
	}
}
