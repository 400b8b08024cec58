package prserv_test

import (
	"os"
	"testing"

	"prserver/prserv/linear"
	"prserver/prserv/prservtest"
)

// TestLinearizable asks whether what 32 clients at a time were answered is what
// one client after the other could have been answered.
func TestLinearizable(t *testing.T) {
	n := 10
	if os.Getenv("PRSERV_LONG") != "" {
		n = 500
	}
	file := prservtest.NewFile(t)
	if err := linear.Check(t.Context(), prservtest.Serve(t, file).Client(), linear.File(prservtest.Outside(t, file)), n); err != nil {
		t.Error(err)
	}
}
