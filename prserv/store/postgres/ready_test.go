package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestReadinessNotes tells errors that are of a transaction from those of a
// PostgreSQL that is about to be there again.
func TestReadinessNotes(t *testing.T) {
	for code, want := range map[string]bool{
		"57P03": false, // it is starting up
		"57P01": false, // an administrator has ended the session
		"40001": false, // somebody was in the way
		"53100": true,  // its disk is full
		"42501": true,  // a right is missing
	} {
		var r readiness
		r.note(&pgconn.PgError{Code: code, Severity: "ERROR", Message: "trouble"})
		if got := r.trouble != nil; got != want {
			t.Errorf("%s: noted is %v, want %v", code, got, want)
		}
	}
}
