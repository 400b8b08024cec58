package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

const (
	// connectTimeout is how long one host may take to let the server in, unless
	// the URL has a connect_timeout.
	connectTimeout = 3 * time.Second
	// deadNetwork is after how long, in which the other side does not confirm
	// what was sent, a connection is lost.
	deadNetwork = 10 * time.Second
)

// cluster is the PostgreSQL that a URL names: one host, or several of which one
// is the primary.
type cluster struct {
	config   *pgx.ConnConfig
	readOnly bool

	mu       sync.Mutex
	system   string // which database it is; guarded by mu
	timeline string // the latest one, which every promotion raises; guarded by mu
}

// parseURL reads a URL, and returns it as people may see it: without a password.
func parseURL(url string, readOnly bool) (c *cluster, name string, err error) {
	if err := CheckURL(url); err != nil {
		return nil, "", err
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, "", urlError(url, err)
	}
	var hosts []string
	hosts = append(hosts, address(config.Host, config.Port))
	for _, f := range config.Fallbacks { // one without TLS, mostly, of the same host
		if a := address(f.Host, f.Port); a != hosts[len(hosts)-1] {
			hosts = append(hosts, a)
		}
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectTimeout)
	c = &cluster{config: config, readOnly: readOnly}
	config.DialFunc = dial
	chosen := config.ValidateConnect // by target_session_attrs
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if chosen != nil {
			if err := chosen(ctx, conn); err != nil {
				return err
			}
		}
		return c.validate(ctx, conn)
	}
	for name, value := range map[string]string{
		"application_name":              cmp.Or(config.RuntimeParams["application_name"], "bitbake-prserv"),
		"client_encoding":               "UTF8",
		"default_transaction_isolation": "read committed",
		"default_transaction_read_only": map[bool]string{true: "on", false: "off"}[readOnly],
		"jit":                           "off",
		// A server that was stopped, or has lost its network, keeps no locks.
		"idle_in_transaction_session_timeout": "10s",
		"tcp_keepalives_idle":                 "5",
		"tcp_keepalives_interval":             "2",
		"tcp_keepalives_count":                "3",
		"tcp_user_timeout":                    fmt.Sprint(deadNetwork.Milliseconds()),
		"statement_timeout":                   "0",
		"lock_timeout":                        "0",
	} {
		config.RuntimeParams[name] = value
	}
	return c, nameOf(config, hosts), nil
}

// nameOf returns the URL of hosts, of which each is an address or the folder of a
// socket.
func nameOf(config *pgx.ConnConfig, hosts []string) string {
	if !strings.HasPrefix(config.Host, "/") {
		return fmt.Sprintf("postgres://%s@%s/%s", config.User, strings.Join(hosts, ","), config.Database)
	}
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%d", config.User, config.Database, config.Host, config.Port)
}

// IsURL tells whether a text names a PostgreSQL database.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

func address(host string, port uint16) string { return net.JoinHostPort(host, fmt.Sprint(port)) }

// lookUps makes PostgreSQL look keys up in its indexes. Its own plan, made while a
// table was small, would go on to read all of it when it has grown.
var lookUps = map[string]string{
	"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_bitmapscan": "off",
	"enable_hashjoin": "off", "enable_mergejoin": "off",
}

// forLookUps returns the configuration of connections that look keys up.
func (c *cluster) forLookUps() *pgx.ConnConfig {
	config := c.config.Copy()
	for name, value := range lookUps {
		config.RuntimeParams[name] = value
	}
	// pgx would ask PostgreSQL to cancel what is done on a connection that is lost.
	// A commit that waits for its standby would end then, without it.
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if ctx.Value(connecting{}) == nil {
			return nil, errors.ErrUnsupported
		}
		return dial(ctx, network, address)
	}
	return config
}

// connecting marks the context in which a connection is made.
type connecting struct{}

// dial connects so that a network that has died is noticed.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			var err error
			raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadNetwork.Milliseconds()))
			})
			return err
		},
	}
	return d.DialContext(ctx, network, address)
}

const (
	// sqlCluster tells which server has let us in. The protocol has told the
	// process id as well; a pooler makes one up.
	sqlCluster = `SELECT pg_is_in_recovery(), pg_backend_pid(), current_setting('server_encoding'), current_setting('fsync')`
	// sqlTimeline tells which database it is, and how often a standby has become
	// its primary. pg_control_checkpoint knows that only after a checkpoint.
	sqlTimeline = `SELECT system_identifier, CASE WHEN pg_is_in_recovery() THEN '' ELSE
		substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END FROM pg_control_system()`
	// sqlSafe undoes a setting under which an answer might not be durable.
	sqlSafe = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`
)

// Errors of a server that is not to be used. The next host of the URL is tried.
var (
	errPooler   = &refusal{"a connection pooler stands before it", "give the URL of PostgreSQL itself"}
	errStandby  = &refusal{"it is a standby, which cannot store values", "name the primary as well"}
	errOld      = &refusal{"it was the primary before another server has become that", "it must not be used any more"}
	errOther    = &refusal{"it is another database than the one that was served until now", "if that is right, start this server again"}
	errEncoding = &refusal{"its encoding is not UTF8", "make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"}
	errUnsafe   = &refusal{"its setting fsync is off, so answers could be lost", "switch it on"}
)

// validate finds out whether a server that has let us in may be used.
func (c *cluster) validate(ctx context.Context, conn *pgconn.PgConn) error {
	row, err := oneRow(ctx, conn, sqlCluster)
	if err != nil {
		return err
	}
	switch standby, pid, encoding, fsync := row[0] == "t", row[1], row[2], row[3]; {
	case pid != fmt.Sprint(conn.PID()):
		return errPooler
	case standby && !c.readOnly:
		return errStandby
	case encoding != "UTF8":
		return errEncoding
	case fsync != "on" && !c.readOnly:
		return errUnsafe
	}
	if _, err := conn.Exec(ctx, sqlSafe).ReadAll(); err != nil {
		return err
	}
	row, err = oneRow(ctx, conn, sqlTimeline)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "42") {
		return nil // the service of a cloud does not tell
	}
	if err != nil {
		return err
	}
	conn.CustomData()[ofTimeline] = row[1]
	return c.remember(row[0], row[1])
}

// ofTimeline is what a connection keeps its timeline by; "" is that of a standby,
// or unknown.
const ofTimeline = "timeline"

// checkCurrent returns errOld for a connection to what was the primary before the
// one that another connection has found. Its processes may go on for a while,
// although it has been killed, or nobody has told it.
func (c *cluster) checkCurrent(conn *pgx.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	timeline, _ := conn.PgConn().CustomData()[ofTimeline].(string)
	if timeline != "" && timeline < c.timeline {
		return errOld
	}
	return nil
}

// remember notes which server is used, unless it must not be.
func (c *cluster) remember(system, timeline string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.system != "" && c.system != system:
		return errOther
	case timeline == "": // a standby, which may be anywhere
	case timeline < c.timeline:
		return errOld
	default:
		c.timeline = timeline
	}
	c.system = system
	return nil
}

// oneRow returns the columns of the only row of a query.
func oneRow(ctx context.Context, conn *pgconn.PgConn, sql string) ([]string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return nil, fmt.Errorf("%.40q was not answered", sql)
	}
	var row []string
	for _, column := range results[0].Rows[0] {
		row = append(row, string(column))
	}
	return row, nil
}

// sqlCount is a change, which PostgreSQL confirms once it is as safe as its
// settings demand, and with it everything before it: also what another server
// had not been told to be safe before it lost its connection.
const sqlCount = `UPDATE prserv_state SET connections = connections + 1`
