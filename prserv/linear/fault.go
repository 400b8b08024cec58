package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	faultHistories = 8
	// faultClients are few: each of them may be making a call twice, and the
	// checker's work grows exponentially with these.
	faultClients = 16
)

// CheckFault is [Check] for a service with a fault: it makes a few
// histories at a time, calls fault once a third of their calls have been answered,
// and goes on meanwhile. The versions of the histories begin with a name that must
// not be used twice.
//
// A call that was under way during the fault may have been made twice, by the
// client or by the service. It counts as two calls then, one after the other, of
// which only the second has an answer.
//
// The error is that of fault or of a call, or tells what is wrong with the answers.
func CheckFault(ctx context.Context, s Service, stored Stored, name string, fault func() error) error {
	const enough = faultHistories * faultClients * historyCalls / 3
	seed := rand.Uint64()
	var answered atomic.Int64
	start := time.Now()
	begin := make(chan struct{})
	var from, to int64 // when the fault began and ended
	var faultErr error
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		<-begin
		from = time.Since(start).Nanoseconds()
		faultErr = fault()
		to = time.Since(start).Nanoseconds()
	}()
	histories, errs := make([][]porcupine.Operation, faultHistories), make([]error, faultHistories)
	for h := range histories {
		all.Add(1)
		go func() {
			defer all.Done()
			r := run{version: name + strconv.Itoa(h), clients: faultClients, random: rand.New(rand.NewPCG(seed, uint64(h))), start: start, narrow: true}
			r.answered = func() {
				if answered.Add(1) == enough {
					close(begin)
				}
			}
			histories[h], errs[h] = r.history(ctx, s)
			if errs[h] != nil && answered.Add(enough) < 2*enough {
				close(begin) // there will not be enough answers
			}
		}()
	}
	all.Wait()
	if faultErr != nil {
		return faultErr
	}
	for h, history := range histories {
		err := errs[h]
		if err == nil {
			history, err = appendStored(ctx, history, stored, name+strconv.Itoa(h))
		}
		if err == nil {
			err = check(history, func(op porcupine.Operation) bool { return op.Call <= to && op.Return >= from })
		}
		if err != nil {
			return fmt.Errorf("history %s of seed %d: %w", name+strconv.Itoa(h), seed, err)
		}
	}
	return nil
}

// withAttempts adds the first attempts of calls that may have been made twice.
func withAttempts(history []porcupine.Operation, twice func(porcupine.Operation) bool) []porcupine.Operation {
	all := history
	for _, op := range history {
		in := op.Input.(input)
		if (in.method == "getPR" || in.method == "importone") && twice(op) {
			in.attempt = true
			op.Input = in
			all = append(all[:len(all):len(all)], op)
		}
	}
	return all
}

// attempts tells which first attempts a model tries.
type attempts struct {
	// answers has for each attempt of a history the call that it is of, and
	// otherwise -1.
	answers []int
	// answered has who was answered which values by getPR, and imported what was
	// imported.
	answered map[held]bool
	imported map[held]bool
}

// held is a value of a checksum. The checksum all stands for any.
type held struct {
	group, checksum int
	value           int64
}

func newAttempts(history []porcupine.Operation) attempts {
	a := attempts{make([]int, len(history)), map[held]bool{}, map[held]bool{}}
	for i, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		a.answers[i] = -1
		switch {
		case in.attempt:
			a.answers[i] = slices.IndexFunc(history, func(other porcupine.Operation) bool {
				return !other.Input.(input).attempt && op.ClientId == other.ClientId && op.Call == other.Call
			})
		case in.method == "getPR":
			a.answered[held{in.group, in.checksum, out.value}] = true
			a.answered[held{in.group, all, out.value}] = true
		case in.method == "importone":
			a.imported[held{in.group, all, in.value}] = true
		}
	}
	return a
}

// isNeeded tells whether an attempt that has made a value can have been of use to
// explain the answers: without it, its call itself could not have come in its
// place, and its value is one that nobody was answered, or its own checksum.
func (a attempts) isNeeded(of porcupine.Operation, made int64) bool {
	in := of.Input.(input)
	if made >= of.Output.(output).value {
		return false
	}
	any, own := held{in.group, all, made}, held{in.group, in.checksum, made}
	return in.method == "importone" || !a.answered[any] || a.answered[own] || a.imported[any]
}
