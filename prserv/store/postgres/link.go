package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// hang is how long PostgreSQL may keep a batch waiting, or a connection that
	// is being made, before it is given up.
	hang = 20 * time.Second
	// firstPause and lastPause are how long nothing is tried after a failure.
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
	// lookEvery is how long nothing may come from PostgreSQL before it is asked
	// whether it is there.
	lookEvery = 2 * time.Second
	// late is how long PostgreSQL may take before [Store.Ready] tells.
	late = 3 * time.Second
)

// link is a connection that is made again when it is lost. One goroutine at a
// time may use it.
type link struct {
	cluster *cluster
	config  *pgx.ConnConfig
	hang    time.Duration
	counts  bool // connections that may write count themselves: see sqlCount
	conn    *pgx.Conn
	// unsafe is set by PostgreSQL's warning that it has committed something
	// without its standby.
	unsafe  atomic.Bool
	trouble trouble
	begun   atomic.Int64  // when what is under way was begun, as Unix nanoseconds; 0: nothing is
	retries *atomic.Int64 // counts what is done again
	heard   time.Time     // when PostgreSQL last answered
	// ending ends when nothing is to be waited for any more.
	ending context.Context
	end    context.CancelFunc
}

// trouble is why PostgreSQL could not be used when that was last tried, if it
// could not.
type trouble struct{ err atomic.Pointer[error] }

func (t *trouble) set(err error) {
	if err == nil {
		t.err.Store(nil)
	} else {
		t.err.Store(&err)
	}
}

func (t *trouble) get() error {
	if err := t.err.Load(); err != nil {
		return *err
	}
	return nil
}

// codeUnsafe is what PostgreSQL warns with where a commit has not waited for its
// standby, because somebody has cancelled it or ended its session.
const codeUnsafe = "01000"

func isUnsafe(n *pgconn.Notice) bool {
	return n.Code == codeUnsafe && n.SeverityUnlocalized == "WARNING"
}

// errUnsafeCommit is returned where a commit has not waited for its standby.
var errUnsafeCommit = errors.New("a commit has not waited for its standby")

func newLink(c *cluster, retries *atomic.Int64, hang time.Duration) *link {
	l := &link{cluster: c, config: c.forLookUps(), hang: hang, counts: !c.readOnly, retries: retries}
	l.ending, l.end = context.WithCancel(context.Background())
	l.config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if isUnsafe(n) {
			l.unsafe.Store(true)
		}
	}
	return l
}

// do does work, again and again until it succeeds, fails for good, or nobody
// waits for it any more. It returns the last error.
func (l *link) do(wanted func() bool, work func(ctx context.Context, c *pgx.Conn) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		l.begun.Store(time.Now().UnixNano())
		err := l.try(work)
		l.begun.Store(0)
		if err == nil || !passes(err) {
			l.heard = time.Now()
			if l.conn != nil {
				l.trouble.set(nil)
			} else { // it does not let us in any more
				l.trouble.set(err)
			}
			return err
		}
		l.trouble.set(err)
		if !wanted() || l.ending.Err() != nil {
			return err
		}
		l.retries.Add(1)
		time.Sleep(pause)
	}
}

// look asks PostgreSQL whether it is there, unless that is known. Whom it does
// not let in, it is not asked more often than usual.
func (l *link) look() {
	if err := l.trouble.get(); err != nil && passes(err) || time.Since(l.heard) > lookEvery {
		l.do(func() bool { return false }, func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) })
	}
}

// state returns why PostgreSQL could not be used when that was last tried, or
// that it does not answer. It never waits.
func (l *link) state() error {
	if err := l.trouble.get(); err != nil {
		return err
	}
	if begun := l.begun.Load(); begun != 0 {
		if waits := time.Since(time.Unix(0, begun)); waits > late {
			return fmt.Errorf("nothing has come for %v", waits.Round(time.Second))
		}
	}
	return nil
}

// try does work once, on a connection that it makes if there is none.
//
// The context has no deadline: pgx ends what has not ended by then, and nobody
// would know whether it was done. A connection on which nothing comes any more is
// closed instead.
func (l *link) try(work func(ctx context.Context, c *pgx.Conn) error) (err error) {
	ctx := context.Background()
	if l.conn == nil {
		if err := l.connect(); err != nil {
			return err
		}
	}
	defer l.watch(l.conn)()
	err = work(ctx, l.conn)
	if err == nil && l.unsafe.Load() {
		err = errUnsafeCommit
	}
	if err == nil {
		err = l.cluster.checkCurrent(l.conn)
	}
	if err != nil && goesOn(err) {
		_, errRollback := l.conn.Exec(ctx, sqlRollback)
		if errRollback == nil {
			return err
		}
	}
	if err != nil {
		l.close()
	}
	return err
}

// watch closes a connection that hangs, or when the link ends, until stop is called.
func (l *link) watch(conn *pgx.Conn) (stop func()) {
	raw := conn.PgConn().Conn()
	watchdog := time.AfterFunc(l.hang, func() { raw.Close() })
	stopEnd := context.AfterFunc(l.ending, func() { raw.Close() })
	return func() {
		watchdog.Stop()
		stopEnd()
	}
}

// connect makes the connection. Every try is over after a while.
func (l *link) connect() error {
	ctx, cancel := context.WithTimeout(context.WithValue(l.ending, connecting{}, true), l.hang)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	l.conn = conn
	l.unsafe.Store(false)
	if l.counts {
		defer l.watch(conn)()
		_, err = conn.Exec(context.Background(), sqlCount)
		if err == nil && l.unsafe.Load() {
			err = errUnsafeCommit
		}
	}
	if err != nil {
		l.close()
	}
	return err
}

// close closes the connection, without waiting for the other side.
func (l *link) close() {
	if l.conn == nil {
		return
	}
	l.conn.PgConn().Conn().Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.conn.Close(ctx)
	l.conn = nil
}
