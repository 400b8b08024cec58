package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// readHistory reads every version of each package that the git history of a
// buildhistory has.
func (r *reader) readHistory(ctx context.Context, folder string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return fmt.Errorf("reading the history of %s: this needs git, which is not installed", folder)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Merges are shown against each parent, so that no version is missed. The
	// repository may begin further up.
	changes, err := startGit(ctx, folder, "log", "--raw", "--no-abbrev", "--no-renames", "--full-history", "-m", "-z",
		"--relative", "--format=", "HEAD", "--", packagesFolder)
	if err != nil {
		return err
	}
	defer changes.end()
	blobs, err := startGit(ctx, folder, "cat-file", "--batch")
	if err != nil {
		return err
	}
	defer blobs.end()
	seen := map[string]bool{}
	for {
		blob, path, err := nextChange(changes.out)
		if errors.Is(err, io.EOF) {
			if err := changes.wait(); err != nil || len(seen) > 0 {
				return err
			}
			return fmt.Errorf("reading the history of %s: no commit has one of its packages", folder)
		} else if err != nil {
			return changes.failed(err)
		}
		match := latestFile.FindStringSubmatch(path)
		key := blob + path
		if match == nil || strings.Trim(blob, "0") == "" || seen[key] {
			continue
		}
		seen[key] = true
		r.progress(folder, -1)
		content, err := blobs.blob(blob)
		if err != nil {
			return blobs.failed(err)
		}
		if err := r.takeLatest(content, folder+"/"+path+" in "+blob[:12], match); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return blobs.failed(err)
		}
		if _, err := blobs.out.Discard(1); err != nil { // a line ends it
			return blobs.failed(err)
		}
	}
}

// nextChange returns a file that a commit has changed, and its content after
// that: :MODE MODE BLOB BLOB STATUS, 0, PATH, 0.
func nextChange(out *bufio.Reader) (blob, path string, err error) {
	head, err := out.ReadString(0)
	if err != nil {
		return "", "", err
	}
	fields := strings.Fields(head)
	if len(fields) != 5 || !strings.HasPrefix(fields[0], ":") {
		return "", "", fmt.Errorf("git log says %.40q", head)
	}
	path, err = out.ReadString(0)
	return fields[3], strings.TrimSuffix(path, "\x00"), noEOF(err)
}

// git is a git command that runs.
type git struct {
	folder string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors bytes.Buffer
}

// startGit starts a git command, which runs no program that the repository
// names and changes nothing.
func startGit(ctx context.Context, folder string, args ...string) (*git, error) {
	g := &git{folder: folder}
	options := []string{"-C", folder, "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "core.hooksPath=/dev/null", "--no-pager"}
	g.cmd = exec.CommandContext(ctx, "git", append(options, args...)...)
	g.cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	g.cmd.Stderr = &g.errors
	var err error
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		return nil, g.failed(err)
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, g.failed(err)
	}
	g.out = bufio.NewReaderSize(out, 64<<10)
	if err := g.cmd.Start(); err != nil {
		return nil, g.failed(err)
	}
	return g, nil
}

// blob returns the content of a blob, from git cat-file --batch.
func (g *git) blob(name string) (io.Reader, error) {
	if _, err := io.WriteString(g.in, name+"\n"); err != nil {
		return nil, err
	}
	head, err := g.out.ReadString('\n')
	if err != nil {
		return nil, noEOF(err)
	}
	fields := strings.Fields(head)
	if len(fields) != 3 || fields[1] != "blob" {
		return nil, fmt.Errorf("git cat-file says %.60q", strings.TrimSpace(head))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	return io.LimitReader(g.out, size), err
}

// wait returns the error with which the command has ended, or nil.
func (g *git) wait() error {
	if err := g.cmd.Wait(); err != nil {
		return g.failed(err)
	}
	return nil
}

// end ends the command, however far it is.
func (g *git) end() {
	if g.in != nil {
		g.in.Close()
	}
	if g.cmd.Process != nil && g.cmd.ProcessState == nil {
		g.cmd.Cancel()
		g.cmd.Wait()
	}
}

// failed ends the command and says in one line why it has failed: in git's own
// words, if it has any.
func (g *git) failed(err error) error {
	g.end()
	if line, _, _ := strings.Cut(strings.TrimSpace(g.errors.String()), "\n"); line != "" {
		err = errors.New(strings.TrimPrefix(line, "fatal: "))
	}
	return fmt.Errorf("reading the history of %s: %w", g.folder, err)
}
