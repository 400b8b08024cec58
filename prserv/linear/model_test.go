package linear

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// TestCheckerFindsWrongAnswers gives wrong histories to the checker, which is
// worth nothing if it finds nothing.
func TestCheckerFindsWrongAnswers(t *testing.T) {
	get := func(checksum int, answer int64) porcupine.Operation {
		return porcupine.Operation{Input: input{"getPR", 0, checksum, 0, false}, Output: output{answer, emptyTable()}}
	}
	imports := func(checksum int, value, answer int64) porcupine.Operation {
		return porcupine.Operation{Input: input{"importone", 0, checksum, value, false}, Output: output{answer, emptyTable()}}
	}
	reads := func(method string, values ...int64) porcupine.Operation {
		out := output{rows: emptyTable()}
		copy(out.rows[0][:], values)
		return porcupine.Operation{Input: input{method, all, all, 0, false}, Output: out}
	}
	for _, test := range []struct {
		about string
		// ops are done one after the other; with a zero one between two, these
		// two are done at the same time.
		ops          []porcupine.Operation
		linearizable bool
		broken       bool // what brokenPromise has to find without the model
	}{
		{"nothing wrong", []porcupine.Operation{get(0, 0), get(1, 1), get(1, 1), imports(2, 5, 5), reads("export", -1, -1, 5),
			get(0, 6), imports(0, 3, 6), reads("stored", 6, 1, 5)}, true, false},
		{"two at once", []porcupine.Operation{get(0, 1), {}, get(1, 0), reads("stored", 1, 0)}, true, false},
		{"the other way round", []porcupine.Operation{get(0, 1), get(1, 0), reads("stored", 1, 0)}, false, true},
		{"one value for two", []porcupine.Operation{get(0, 0), {}, get(1, 0), reads("stored", 0, 0)}, false, true},
		{"an old value", []porcupine.Operation{get(0, 0), get(1, 1), get(0, 0), reads("stored", 0, 1)}, false, false},
		{"an old value once exported", []porcupine.Operation{get(0, 0), get(1, 1), {}, reads("export", -1, 1), get(0, 0), reads("stored", 0, 1)}, false, false},
		{"a value skipped", []porcupine.Operation{get(0, 0), get(1, 2), reads("stored", 0, 2)}, false, false},
		{"a value lost", []porcupine.Operation{get(0, 0), get(1, 1), reads("stored", 0)}, false, true},
		{"a value lowered", []porcupine.Operation{imports(0, 5, 5), imports(0, 3, 3), reads("stored", 3)}, false, false},
		{"an import ignored", []porcupine.Operation{imports(0, 5, 5), get(1, 0), reads("stored", 5, 0)}, false, false},
		{"a row too many", []porcupine.Operation{get(0, 0), get(1, 1), reads("export", 0, 1), reads("stored", 0, 1)}, false, false},
	} {
		var history []porcupine.Operation
		now, together := int64(0), false
		for _, op := range test.ops {
			if op.Input == nil {
				together = true
				continue
			}
			now += 10
			op.Call, op.Return = now, now+5
			if together {
				op.Call, together = now-8, false
			}
			history = append(history, op)
		}
		if got := isLinearizable(history); got != test.linearizable {
			t.Errorf("%s: linearizable is %v, want %v", test.about, got, test.linearizable)
		}
		if broken := brokenPromise(history); (broken != "") != test.broken {
			t.Errorf("%s: brokenPromise found %q", test.about, broken)
		}
	}
}

// TestCheckerLosesNoOrder compares the checker with one that tries everything,
// which short histories allow: right ones, and ones with a wrong answer.
func TestCheckerLosesNoOrder(t *testing.T) {
	const histories, calls = 2000, 12
	everything := porcupine.Model{
		Init: func() any { return emptyTable() },
		Step: func(state, in, out any) (bool, any) {
			want, next := step(state.(table), in.(input))
			return want == out.(output), next
		},
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	verdicts := map[bool]int{}
	for range histories {
		history := shortHistory(random, calls, false)
		want := porcupine.CheckOperations(everything, history)
		verdicts[want]++
		if got := isLinearizable(history); got != want {
			t.Fatalf("seed %d: linearizable is %v, want %v:\n%s", seed, got, want, describe(history))
		}
	}
	if verdicts[true] < histories/10 || verdicts[false] < histories/10 {
		t.Errorf("seed %d: verdicts %v do not show much", seed, verdicts)
	}
}

// shortHistory makes calls that overlap; about half of all histories have a wrong
// answer. If some calls are made twice, they are one in three.
func shortHistory(random *rand.Rand, calls int, twice bool) []porcupine.Operation {
	history := make([]porcupine.Operation, calls)
	stored := emptyTable()
	for i, in := range chooseCalls(random, calls, false) {
		if twice && random.IntN(3) == 0 {
			_, stored = step(stored, in)
		}
		var out output
		out, stored = step(stored, in)
		if in.method != "export" && random.IntN(2*calls) == 0 {
			out.value += random.Int64N(3) - 1
		}
		at := int64(10 * i)
		history[i] = porcupine.Operation{ClientId: i, Input: in, Output: out,
			Call: at - random.Int64N(60), Return: at + 1 + random.Int64N(60)}
	}
	return history
}

// TestCheckerLosesNoAttempt is [TestCheckerLosesNoOrder] for calls that may have
// been made twice.
func TestCheckerLosesNoAttempt(t *testing.T) {
	const histories, calls = 200, 6
	type progress struct {
		stored   table
		answered [calls]bool
	}
	everything := (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{progress{stored: emptyTable()}} },
		Step: func(state, in, out any) []any {
			p, call := state.(progress), in.(input)
			number := int(call.value / 100) // which the hundreds of a value tell here
			call.value %= 100
			want, next := step(p.stored, call)
			if call.attempt {
				if p.answered[number] {
					return []any{p}
				}
				return []any{p, progress{next, p.answered}}
			}
			if want != out.(output) {
				return nil
			}
			p.stored, p.answered[number] = next, true
			return []any{p}
		},
	}).ToModel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	verdicts := map[bool]int{}
	for range histories {
		history := shortHistory(random, calls, true)
		all := withAttempts(history, func(porcupine.Operation) bool { return true })
		numbered := slices.Clone(all)
		for i := range numbered {
			in := numbered[i].Input.(input)
			in.value += 100 * int64(numbered[i].ClientId)
			numbered[i].Input = in
		}
		want := porcupine.CheckOperations(everything, numbered)
		verdicts[want]++
		if got := isLinearizable(all); got != want {
			t.Fatalf("seed %d: linearizable is %v, want %v:\n%s", seed, got, want, describe(history))
		}
	}
	if verdicts[true] < histories/10 || verdicts[false] < histories/10 {
		t.Errorf("seed %d: verdicts %v do not show much", seed, verdicts)
	}
}

// TestCheckerCountsAttempts lets calls be made twice, and no more than that.
func TestCheckerCountsAttempts(t *testing.T) {
	get := func(client, checksum int, from, to, answer int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Call: from, Return: to,
			Input: input{method: "getPR", checksum: checksum}, Output: output{answer, emptyTable()}}
	}
	for _, test := range []struct {
		about        string
		ops          []porcupine.Operation
		linearizable bool
	}{
		{"nothing lost", []porcupine.Operation{get(0, 0, 0, 9, 0), get(1, 1, 10, 19, 1)}, true},
		{"a value skipped", []porcupine.Operation{get(0, 0, 0, 9, 2), get(1, 1, 0, 9, 1)}, true},
		{"a value that nobody can have skipped", []porcupine.Operation{get(0, 0, 0, 9, 0), get(1, 1, 10, 19, 2)}, false},
		{"two values skipped", []porcupine.Operation{get(0, 0, 0, 9, 3), get(1, 1, 0, 9, 1)}, false},
		{"one value for two", []porcupine.Operation{get(0, 0, 0, 9, 0), get(1, 1, 0, 9, 0)}, false},
		{"an old value", []porcupine.Operation{get(0, 0, 0, 9, 0), get(1, 1, 10, 19, 1), get(2, 0, 20, 29, 0)}, false},
	} {
		twice := func(porcupine.Operation) bool { return true }
		if got := isLinearizable(withAttempts(test.ops, twice)); got != test.linearizable {
			t.Errorf("%s: linearizable is %v, want %v", test.about, got, test.linearizable)
		}
	}
}
