package main

import (
	"context"
	"database/sql"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"prserver/prserv/store/sqlite"
	"prserver/tools/internal/scripttest"
)

// nobody is the id of a user who owns no file.
const nobody = 65534

// TestOtherUser starts servers on another user's file.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start programs as another user")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	program := copyProgram(t, dir)
	file := filepath.Join(dir, "prserv.sqlite3")
	store, err := sqlite.Open(t.Context(), file, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	// As an idle server that was killed leaves it.
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA journal_mode = WAL"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), scripttest.Patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, append([]string{"--foreground", "--host", "127.0.0.1", "--port", "0",
			"--file", file}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%v: the server started", args)
		}
		return string(out)
	}
	check := func(said, want string) {
		t.Helper()
		if !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("the server said %q, want a line with %q", said, want)
		}
	}
	check(start(), "writing it: permission denied; make it writable, or serve it with --read-only")
	check(start("--read-only"), "nobody writes it, and it belongs to another user (uid 0); start the writing server first")
	for _, made := range []string{file + "-shm", file + "-lock"} {
		if _, err := os.Stat(made); !os.IsNotExist(err) {
			t.Errorf("%s is left behind: %v", made, err)
		}
	}

	// Now the file is the user's own, but another user's server has left its index
	// beside it.
	if err := os.Chown(file, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+"-shm", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	check(start(), "writing "+file+"-shm: permission denied; another user's read-only server or sqlite3 has made it")
}

// copyProgram copies the program to a folder from which every user can run it.
func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	from, err := exec.LookPath("bitbake-prserv")
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	program := filepath.Join(dir, "bitbake-prserv")
	out, err := os.OpenFile(program, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return program
}
