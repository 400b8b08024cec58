package prserv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"prserver/prserv/client"
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

// everyBitBake asks as BitBake of all generations does, over few connections.
type everyBitBake struct {
	*client.Client
	lines []*client.JSONLines
}

// GetPR implements [linear.Service].
func (e everyBitBake) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	var history *bool
	switch rand.IntN(3) {
	case 0:
		return e.Client.GetPR(ctx, version, pkgarch, checksum)
	case 1:
		history = new(bool)
	}
	v, err := e.lines[rand.IntN(len(e.lines))].GetPR(ctx, version, pkgarch, checksum, history)
	if err != nil {
		return 0, err
	}
	n, ok := v.Whole()
	if !ok {
		err = fmt.Errorf("answered %v", v)
	}
	return n, err
}

// TestLinearizableGenerations checks what clients of all generations are
// answered at once.
func TestLinearizableGenerations(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Serve(t, file)
	e := everyBitBake{Client: s.Client()}
	for range 16 {
		c := client.NewJSONLines(s.Addr, client.Timeout)
		defer c.Close()
		e.lines = append(e.lines, c)
	}
	if err := linear.Check(t.Context(), e, linear.File(prservtest.Outside(t, file)), 20); err != nil {
		t.Error(err)
	}
}
