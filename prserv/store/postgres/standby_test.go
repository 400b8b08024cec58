package postgres_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// waitsForStandby is a session whose commit waits for its standby.
const waitsForStandby = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'bitbake-prserv'"

// TestStandbyIsGone answers nothing that the synchronous standby may lack, whatever
// is done to the sessions that wait for it.
func TestStandbyIsGone(t *testing.T) {
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	admin := primary.URL("postgres")
	pgtest.Execute(t, admin, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()",
		// Who asks for less than that gets it nevertheless.
		"ALTER ROLE postgres SET synchronous_commit = local")
	pgtest.WaitForRow(t, admin, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
	patient := open(t, url)
	hasty, err := postgres.OpenImpatient(t.Context(), url, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer hasty.Close()
	wantPR(t, patient, key("v", "all", "a"), 0)
	wantPR(t, hasty, key("w", "all", "a"), 0)
	standby.Stop(syscall.SIGINT)

	// A server that gives up its connection does not end the wait.
	hastyAnswer := ask(hasty, key("w", "all", "b"), store.Mode{})
	pgtest.WaitForRow(t, admin, waitsForStandby)
	var abandoned int
	if err := pgtest.Connect(t, admin).QueryRow(t.Context(), waitsForStandby).Scan(&abandoned); err != nil {
		t.Fatal(err)
	}
	hastyAnswer.wantNone(t, "the connection is given up", func() bool { return hasty.Retries() >= 2 })
	pgtest.WaitForRow(t, admin, fmt.Sprintf("%s AND pid = %d", waitsForStandby, abandoned))

	// PostgreSQL says "committed locally" and reports success.
	patientAnswer := ask(patient, key("v", "all", "b"), store.Mode{})
	others := fmt.Sprintf("%s AND pid <> %d", waitsForStandby, abandoned)
	pgtest.WaitForRow(t, admin, others)
	pgtest.Execute(t, admin, "SELECT pg_cancel_backend(pid) FROM ("+others+") AS q")
	patientAnswer.wantNone(t, "the wait is cancelled", func() bool { return patient.Retries() >= 1 })

	// After a crash all see what the standby lacks.
	if err := primary.Restart(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	pgtest.WaitForRow(t, url, "SELECT 1 FROM prvalue WHERE checksum = 'b'")
	read := ask(patient, key("v", "all", "b"), store.Mode{Peek: true})
	watcher := pgtest.Connect(t, admin)
	read.wantNone(t, "the primary has crashed", func() bool {
		var query string
		err := watcher.QueryRow(t.Context(), "SELECT query FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'UPDATE prserv_state%'").Scan(&query)
		return err == nil
	})
	if err := standby.Start(); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []answered{hastyAnswer, patientAnswer, read} {
		if got := <-answer; got != int64(1) {
			t.Errorf("got %v, want 1", got)
		}
	}
}

// answered is what a call is answered, or its error.
type answered chan any

// ask makes a call beside the test.
func ask(s *postgres.Store, k store.Key, m store.Mode) answered {
	answer := make(answered, 1)
	go func() {
		v, err := s.GetPR(context.Background(), k, m)
		if err != nil {
			v = err
		}
		answer <- v
	}()
	return answer
}

// wantNone waits for something, and wants no answer until then.
func (a answered) wantNone(t *testing.T, what string, has func() bool) {
	t.Helper()
	prservtest.WaitFor(t, what, func() bool { return len(a) > 0 || has() })
	if len(a) > 0 {
		t.Fatalf("%s: got %v", what, <-a)
	}
}
