package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"prserver/prserv/store"
)

// explain says in one line what PostgreSQL has refused a person who starts
// something, or that it is not there, and what to do.
func explain(config *pgx.ConnConfig, err error) error {
	var known *store.Error
	var refused *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, ErrNoTables):
		return err
	case errors.As(err, &connecting):
		var lines []string
		for _, r := range refusals(connecting) {
			lines = append(lines, r.Error())
		}
		return errors.New(strings.Join(lines, "; "))
	case errors.As(err, &refused):
		return fmt.Errorf("%s; %s", said(refused), advice(refused.Code, config.User))
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("PostgreSQL has let us in, and does not answer; its view pg_stat_activity tells what it waits for")
	}
	return fmt.Errorf("the connection is lost (%s); nothing has changed, run this again", oneLine(err))
}

// refusal is why a host does not let us in, or must not be used.
type refusal struct{ what, todo string }

func (r *refusal) Error() string { return r.what + "; " + r.todo }

// refusals returns why none of the hosts can be used, each reason once.
func refusals(err *pgconn.ConnectError) (all []refusal) {
	tries := []error{err.Unwrap()}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		tries = joined.Unwrap()
	}
	for i, try := range tries {
		at := where(try)
		// By sslmode=prefer, a host without TLS is tried again.
		if isWithoutTLS(try) && i+1 < len(tries) && where(tries[i+1]) == at {
			continue
		}
		r := refusalOf(try, at, err.Config.User)
		isOneOf := slices.ContainsFunc(tries, func(other error) bool { return where(other) != at })
		if isOneOf && !strings.Contains(r.what, at) {
			r.what = at + ": " + r.what
		}
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// where returns at which address a host was tried, and its name.
func where(try error) string {
	both, _, _ := strings.Cut(try.Error(), "): ") // as pgx begins
	at, name, _ := strings.Cut(both, " (")
	if strings.Contains(at, name) {
		return at
	}
	return at + " (" + name + ")"
}

func isWithoutTLS(err error) bool {
	return strings.HasSuffix(err.Error(), "server refused TLS connection")
}

// refusalOf explains why one try has failed.
func refusalOf(err error, at, user string) refusal {
	var known *refusal
	var unknown *net.DNSError
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &known):
		return *known
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return refusal{"no host has the name " + unknown.Name, "correct the URL"}
	case errors.As(err, &unknown):
		return refusal{fmt.Sprintf("the name %s cannot be looked up (%s)", unknown.Name, unknown.Err), "see to the network"}
	case errors.As(err, &refused):
		return refusal{said(refused), advice(refused.Code, user)}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT): // a socket
		return refusal{"nothing listens at " + at, "start PostgreSQL there, or correct the URL"}
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return refusal{at + " does not answer in time", "is PostgreSQL there, and does a firewall let you in?"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return refusal{at + " closes the connection", "is that PostgreSQL?"}
	case isWithoutTLS(err):
		return refusal{at + " has no TLS", "set ssl = on there, or write sslmode=disable into the URL"}
	}
	_, why, _ := strings.Cut(oneLine(err), "): ")
	return refusal{"connecting to " + at + ": " + why, "correct the URL, or the settings of PostgreSQL"}
}

// said is what PostgreSQL says itself.
func said(e *pgconn.PgError) string {
	return "PostgreSQL: " + strings.Join(strings.Fields(e.Message), " ")
}

// advice says what a user is to do about an error of PostgreSQL, by its code or
// class.
func advice(code, user string) string {
	switch {
	case code == "28P01":
		return "give the right password with PGPASSWORD or in ~/.pgpass"
	case strings.HasPrefix(code, "28"):
		return "name another user in the URL, or let this one in (pg_hba.conf)"
	case code == "3D000":
		return fmt.Sprintf("make it with createdb --owner %s --encoding UTF8 --template template0, or correct the URL", user)
	case code == codeNoRight:
		return fmt.Sprintf("give the role %s that right, or name another one in the URL", user)
	case code == "42704":
		return "correct the URL"
	case code == "25006":
		return "name the primary in the URL"
	case code == "53100":
		return "make room, and run this again"
	case code == "08P01": // a pooler does not know what it is told
		return "if a connection pooler stands before it, give the URL of PostgreSQL itself"
	case strings.HasPrefix(code, "54"):
		return "a version, pkgarch or checksum is longer than PostgreSQL can hold, which is about 2,600 bytes"
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "40"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"):
		return "nothing has changed, run this again"
	}
	return "its log says more"
}
