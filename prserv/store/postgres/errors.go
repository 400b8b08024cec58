package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"prserver/prserv/store"
)

// codeNoRight is the code of an error where a right is missing.
const codeNoRight = "42501"

// reasons are the reasons of PostgreSQL's codes, or of their classes.
var reasons = map[string]error{
	"22003":     store.ErrTooBig, // a number
	"25006":     store.ErrReadOnly,
	codeNoRight: store.ErrReadOnly,
	"53100":     store.ErrFull,
	"54":        store.ErrTooBig, // a key that the index cannot hold
	"55P03":     store.ErrBusy,
	"22":        store.ErrMismatch,
	"23":        store.ErrConstraint,
	"XX001":     store.ErrDamaged,
	"XX002":     store.ErrDamaged,
}

// storeError makes a [*store.Error] of an error of PostgreSQL. Any other error,
// and nil, it returns as it is.
func storeError(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	reason, ok := reasons[e.Code]
	if !ok {
		reason = reasons[e.Code[:min(2, len(e.Code))]]
	}
	text := "PostgreSQL: " + e.Message
	if e.Code == codeNoRight {
		text += "; give the role of the server that right (GRANT)"
	}
	return &store.Error{Reason: reason, Text: text}
}

// passes tells whether what has failed may succeed if it is done again, from its
// beginning.
func passes(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true // the connection is lost, or cannot be made
	}
	switch e.Code {
	case "40001", "40P01", // it got in the way of others
		"55P03", "57014", // somebody has cancelled it
		"53300",          // too many connections
		"25006",          // what was the primary is none any more
		"25P03",          // it was idle for too long within a transaction
		"0A000", "26000": // the schema has been upgraded
		return true
	}
	return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P")
}

// goesOn tells whether a connection can be used after an error.
func goesOn(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Severity == "ERROR" &&
		(!passes(err) || e.Code == "40001" || e.Code == "40P01")
}

// unavailable is the error of a call that PostgreSQL has not answered in time.
func (s *Store) unavailable(err error) error {
	if err == nil {
		err = context.DeadlineExceeded
	}
	return &store.Error{Reason: store.ErrUnavailable, Text: fmt.Sprintf("PostgreSQL does not answer (%s); the call can be made again", reason(err))}
}

// reason says in one line why PostgreSQL does not answer.
func reason(err error) string {
	var connecting *pgconn.ConnectError
	if !errors.As(err, &connecting) {
		return oneLine(err)
	}
	var all []string
	for _, r := range refusals(connecting) {
		all = append(all, r.what)
	}
	return strings.Join(all, "; ")
}

// oneLine is the text of an error, without line breaks.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}

// errNoText is returned for texts that PostgreSQL does not store.
var errNoText = &store.Error{Reason: store.ErrMismatch, Text: "PostgreSQL stores no text with a zero byte in it, or one that is no UTF-8"}

// checkTexts returns errNoText unless all texts can be stored.
func checkTexts(texts ...string) error {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			return errNoText
		}
	}
	return nil
}

// nameDatabase makes a [*store.FileError] of an error of the database.
func (s *Store) nameDatabase(err *error) {
	*err = storeError(*err)
	var database *store.Error
	if errors.As(*err, &database) {
		*err = &store.FileError{File: s.name, Err: *err}
	}
}
