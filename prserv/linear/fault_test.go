package linear_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"prserver/prserv/linear"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// ordinary is how many histories of a store the ordinary suite makes.
const ordinary = 50

// faulty is a store with a fault in the answers of getPR.
type faulty struct {
	store.Store
	mu    sync.Mutex
	known map[store.Key]store.Value // what getPR has answered; guarded by mu
	get   func(f *faulty, k store.Key, v store.Value) store.Value
}

func (f *faulty) GetPR(ctx context.Context, k store.Key, m store.Mode) (store.Value, error) {
	v, err := f.Store.GetPR(ctx, k, m)
	f.mu.Lock()
	defer f.mu.Unlock()
	given := f.get(f, k, v)
	f.known[k] = given
	return given, err
}

// rarely is true once in so many calls.
func rarely(n int) bool { return rand.IntN(n) == 0 }

// TestFindsFaults plants faults that show in few calls only: the share of
// histories that the ordinary suite makes has to find each.
func TestFindsFaults(t *testing.T) {
	for name, get := range map[string]func(f *faulty, k store.Key, v store.Value) store.Value{
		"an answer from memory that is not true any more": func(f *faulty, k store.Key, v store.Value) store.Value {
			if known, ok := f.known[k]; ok && rarely(100) {
				return known
			}
			return v
		},
		"a value given twice": func(f *faulty, k store.Key, v store.Value) store.Value {
			if n, _ := v.(int64); n > 0 && rarely(200) {
				return n - 1
			}
			return v
		},
		"a value that is not stored": func(f *faulty, k store.Key, v store.Value) store.Value {
			if n, ok := v.(int64); ok && rarely(200) {
				return n + 1
			}
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := prservtest.NewFile(t)
			f := &faulty{Store: prservtest.Open(t, file), known: map[store.Key]store.Value{}, get: get}
			if err := linear.Check(t.Context(), linear.Store{Store: f}, linear.File(prservtest.Outside(t, file)), ordinary); err == nil {
				t.Errorf("%d histories have not found it", ordinary)
			}
		})
	}
}
