package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"prserver/compat"
	"prserver/prserv/store/postgres/pgtest"
	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
)

func TestMain(m *testing.M) {
	scripttest.Main(withClusters{m}, map[string]func(){
		"bitbake-prserv": main, "values": main, // by a name that says nothing
		"asks": asks, "container": container, "deaf": deaf, "history": historian, "quitter": quitter,
	})
}

// withClusters are the tests, which may start PostgreSQL.
type withClusters struct{ *testing.M }

func (m withClusters) Run() int { return pgtest.Main(m.M) }

// container runs a shell script like the first process of a container: it becomes
// the parent of daemons, and does not wait for them, so they stay zombies.
func container() {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	cmd := exec.Command("sh", "-c", os.Args[1])
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Run() // the exit code says it
	os.Exit(cmd.ProcessState.ExitCode())
}

// quitter sends quit to the server at an address, and prints the error.
func quitter() { fmt.Printf("quit: %v\n", ask(os.Args[1]).Quit(context.Background())) }

// deaf listens at an address, with a pid file, and answers nobody.
func deaf() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		}
	}
	ln, err := net.Listen("tcp4", os.Args[1])
	fail(err)
	file := os.Args[2]
	fail(os.WriteFile(file+".part", fmt.Appendf(nil, "%d\n", os.Getpid()), 0o666))
	fail(os.Rename(file+".part", file))
	for {
		conn, err := ln.Accept()
		fail(err)
		conn.Close()
	}
}

// TestScripts runs the program as a user does. Each script has an address of its
// own in $HOST and $PORT, and the path of the pid file there in $PIDFILE.
//
// The texts were compared by hand with what bitbake's bin/bitbake-prserv
// prints: of revision 004003daf under Python 2.7.18, of 1.50 under 3.8.18.
func TestScripts(t *testing.T) {
	scripttest.RunPlain(t, testscript.Params{
		Setup: setup,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "netns":
				return exec.Command("unshare", "-n", "sh", "-c", "ip link set lo up && command -v nsenter").Run() == nil, nil
			case "mount":
				return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp").Run() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]scripttest.Command{
			"database": cmdDatabase,
			"postgres": cmdPostgres,
			"ready":    cmdReady,
			"findpid":  cmdFindPid,
			"getpr":    cmdGetPR,
			"gone":     cmdGone,
			"listens":  cmdListens,
			"occupy":   cmdOccupy,
			"quit":     cmdQuit,
			"readpid":  cmdReadPid,
			"sleeper":  cmdSleeper,
			"waitfile": cmdWaitFile,
			"waitline": cmdWaitLine,
			"signal":   cmdSignal,
			"status":   cmdStatus,
		},
	})
}

func setup(env *testscript.Env) error {
	// --stop lists the other ports of the host that have pid files. With a host of
	// its own, a script does not see those of other tests.
	address, err := pyserver.FreeAddress()
	if err != nil {
		return err
	}
	env.Setenv("HOST", address.Host)
	env.Setenv("PORT", strconv.Itoa(address.Port))
	env.Setenv("PIDFILE", compat.PidFile(address.Host, address.Port))
	env.Defer(func() { cleanUp(env, address.Host, address.Port) })
	return nil
}

// cleanUp kills the daemons that a script has left, and fails if there are any. It
// knows them by the script's folder in their arguments. It removes the pid files
// of servers that the script has killed.
func cleanUp(env *testscript.Env, host string, port int) {
	left, err := servers(env.WorkDir + "/")
	if err != nil {
		env.T().Fatal(err)
	}
	for _, pid := range left {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			env.T().Fatal(err)
		}
	}
	own, err := filepath.Glob(fmt.Sprintf("/tmp/PRServer_%s_*.pid", host))
	if err != nil {
		env.T().Fatal(err)
	}
	for _, ip := range []string{"0.0.0.0", "127.0.0.1"} {
		own = append(own, compat.PidFile(ip, port))
	}
	for _, file := range own {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			env.T().Fatal(err)
		}
	}
	logs, err := filepath.Glob(filepath.Join(env.WorkDir, "*.log"))
	if err != nil {
		env.T().Fatal(err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			env.T().Fatal(err)
		}
		if trouble.Match(text) {
			env.T().Fatal(fmt.Sprintf("%s:\n%s", log, text))
		}
	}
	if len(left) > 0 {
		env.T().Fatal("left running, and killed: processes ", left)
	}
}

// trouble matches what no log may hold.
var trouble = regexp.MustCompile(`DATA RACE|panic|goroutine \d`)

// servers returns the processes that run our program with text in their arguments.
func servers(text string) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, file := range files {
		args, _ := os.ReadFile(file) // fails for one that has just ended
		program, _, _ := strings.Cut(string(args), "\x00")
		if filepath.Base(program) != "bitbake-prserv" || !strings.Contains(string(args), text) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func noNegation(ts *testscript.TestScript, neg bool, args []string, usage string) {
	if want := len(strings.Fields(usage)) - 1; neg || len(args) != want {
		ts.Fatalf("usage: %s", usage)
	}
}

// address returns the address of a script.
func address(ts *testscript.TestScript) string {
	return net.JoinHostPort(ts.Getenv("HOST"), ts.Getenv("PORT"))
}

// cmdGetPR waits for a server and asks it for a value. With a negation
// nothing may be listening.
func cmdGetPR(ts *testscript.TestScript, neg bool, args []string) {
	addr := address(ts)
	if len(args) == 5 {
		addr, args = args[4], args[:4]
	}
	if len(args) != 4 {
		ts.Fatalf("usage: getpr VERSION PKGARCH CHECKSUM VALUE [HOST:PORT]")
	}
	var got int64
	var err error
	answers := func() bool {
		got, err = ask(addr).GetPR(context.Background(), args[0], args[1], args[2])
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	if neg {
		if answers() {
			ts.Fatalf("somebody listens: %d, %v", got, err)
		}
		return
	}
	scripttest.WaitFor(ts, "a listener", answers)
	if err != nil || strconv.FormatInt(got, 10) != args[3] {
		ts.Fatalf("getPR answered %d, %v; want %s", got, err, args[3])
	}
}

// cmdListens waits until somebody listens at the address of the script, who
// need not answer yet.
func cmdListens(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "listens")
	scripttest.WaitFor(ts, "a listener", func() bool {
		conn, err := net.Dial("tcp4", address(ts))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// cmdQuit sends quit to the server of the script.
func cmdQuit(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "quit")
	ts.Check(ask(address(ts)).Quit(context.Background()))
}

// cmdReadPid sets a variable to the pid in a pid file.
func cmdReadPid(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "readpid VARIABLE FILE")
	text := ts.ReadFile(args[1])
	if !regexp.MustCompile(`^[1-9][0-9]*\n$`).MatchString(text) {
		ts.Fatalf("pid file %s holds %q, want a number and a newline", args[1], text)
	}
	ts.Setenv(args[0], strings.TrimSpace(text))
}

// cmdFindPid sets a variable to the pid of the script's server in the foreground.
func cmdFindPid(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "findpid VARIABLE")
	pids, err := servers("\x00" + ts.Getenv("HOST") + "\x00")
	ts.Check(err)
	if len(pids) != 1 {
		ts.Fatalf("servers of this script: %v, want one", pids)
	}
	ts.Setenv(args[0], strconv.Itoa(pids[0]))
}

func pid(ts *testscript.TestScript, text string) int {
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 2 {
		ts.Fatalf("%q is no process", text)
	}
	return pid
}

// cmdWaitFile waits until a file exists.
func cmdWaitFile(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "waitfile FILE")
	scripttest.WaitFor(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// cmdGone waits for a process to end. With a negation the process has to be
// running.
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: gone PID")
	}
	gone := func() bool { return !compat.IsRunning(pid(ts, args[0])) }
	if !neg {
		scripttest.WaitFor(ts, "the end of process "+args[0], gone)
	} else if gone() {
		ts.Fatalf("process %s has ended", args[0])
	}
}

// cmdSignal sends a signal to a process.
func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "signal NAME PID")
	signals := map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL,
	}
	ts.Check(syscall.Kill(pid(ts, args[1]), signals[args[0]]))
}

// cmdOccupy listens at the address of the script until the script ends.
func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "occupy")
	ln, err := net.Listen("tcp4", address(ts))
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
}

// cmdSleeper starts a process that only sleeps, and writes a pid file for it.
func cmdSleeper(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "sleeper NAME SECONDS FILE")
	cmd := exec.Command("sleep", args[1])
	cmd.Args[0] = args[0]
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // without it the process would stay, as a zombie
	ts.Defer(func() {
		cmd.Process.Kill()
		<-ended
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), fmt.Appendf(nil, "%d\n", cmd.Process.Pid), 0o666))
}
