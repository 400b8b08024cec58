package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/store/postgres/pgtest"
)

// TestGuideMakesDatabase makes the role and the database as both READMEs say, but for
// the host and the password. Values can be copied there.
func TestGuideMakesDatabase(t *testing.T) {
	cluster := pgtest.Start(t)
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.sql")
	if err := os.WriteFile(file, []byte(oneValue), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, readme := range []string{"README.md", "../bitbake-prserv/README.md"} {
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "createuser ") && !strings.HasPrefix(line, "createdb ") {
				continue
			}
			made++
			cmd := exec.Command("sh", "-c", strings.NewReplacer("db.example", "127.0.0.1", "--pwprompt ", "").Replace(line))
			cmd.Env = append(os.Environ(), "PATH="+strings.Join(append(programs, os.Getenv("PATH")), ":"), fmt.Sprint("PGPORT=", cluster.Port))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %s: %v: %s", readme, line, err, out)
			}
		}
		if made != 2 {
			t.Errorf("%s makes roles and databases with %d lines, want 2", readme, made)
		}
		var out strings.Builder
		url := strings.Replace(cluster.URL("prserv"), "postgres@", "prserv@", 1)
		if code := run(t.Context(), []string{"prserv-tool", "copy", file, url}, nil, &out, &out); code != 0 {
			t.Errorf("%s: copying to %s: exit code %d: %s", readme, url, code, &out)
		}
		pgtest.Execute(t, cluster.URL("postgres"), "DROP DATABASE prserv", "DROP ROLE prserv")
	}
}

const oneValue = `BEGIN TRANSACTION;
CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum));
INSERT INTO "PRMAIN_nohist" VALUES('bash-5.2-r0','core2-64','aaaa',7);
COMMIT;
`
