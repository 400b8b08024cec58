package linear

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"
)

// A history is what many clients did to the checksums of a few groups. There
// are so few that the clients get into each other's way all the time.
const (
	historyGroups    = 2
	historyChecksums = 4
)

// table is what a history's groups have stored: the value of every checksum.
// It can be compared, which is most of what the checker does all day.
type table [historyGroups][historyChecksums]int64

// absent stands in a table where a checksum has no row.
const absent = -1

func emptyTable() (t table) {
	for g := range t {
		for c := range t[g] {
			t[g][c] = absent
		}
	}
	return t
}

// all stands for every group, or every checksum, in the filters of an export.
const all = -1

// input is a call of a history. The method "stored" is no method of the
// service: it is what another program reads from the file in the end.
type input struct {
	method          string
	group, checksum int
	value           int64 // what importone is given
	attempt         bool  // a first attempt, whose answer was lost: see CheckFault
}

// output is the answer: a value, or the rows of an export.
type output struct {
	value int64
	rows  table
}

// progress is how far the checker has come with a history: what is stored, and
// which calls have happened.
type progress struct {
	stored table
	done   [4]uint64
	tried  int // first attempts that have changed something
}

func (p *progress) isDone(call int) bool { return p.done[call/64]&(1<<(call%64)) != 0 }
func (p *progress) setDone(call int)     { p.done[call/64] |= 1 << (call % 64) }

// serviceModel is the service as lib/prserv/db.py describes it, done by one
// client after the other, for one history in the order of its calls' starts.
// The input of an operation is its place in that.
//
// Left to itself the checker would try subsets of 32 calls at a time. It need
// not try what these two rules exclude. A call that changes nothing, and might
// have had its answer before this one, can as well have come first: no order
// is lost by demanding it. And values only grow: an order is wrong as soon as
// they have grown past what a call was answered that has not happened yet.
//
// A first attempt that changed nothing might as well not have been made. It is
// put right behind its call then, where it changes nothing. No more than most
// attempts change something. Of several that would change the same, the one that
// began first does. What attempts have made and nobody saw is stored as if it were
// the first that they could have made: see alikes.
func serviceModel(history []porcupine.Operation, most int) porcupine.Model {
	tries, alike := newAttempts(history), newAlikes(history)
	return porcupine.Model{
		Init: func() any { return progress{stored: emptyTable()} },
		Step: func(state, in, _ any) (bool, any) {
			p, this := state.(progress), in.(int)
			out, next := step(p.stored, history[this].Input.(input))
			ok := out == history[this].Output.(output)
			changes := false // an attempt that does
			if answer := tries.answers[this]; answer >= 0 && p.isDone(answer) {
				next, ok = p.stored, true
			} else if answer >= 0 {
				changes = true
				p.tried++
				ok = next != p.stored && p.tried <= most && tries.isNeeded(history[this], out.value)
			}
			if !ok {
				return false, p
			}
			for other := range history {
				if other == this || p.isDone(other) {
					continue
				}
				if answer := tries.answers[other]; answer >= 0 {
					if p.isDone(answer) || changes && other < this && history[other].Input == history[this].Input {
						return false, p
					}
					continue
				}
				if other < this && tries.answers[this] < 0 {
					if after, ok := happens(history[other], p.stored); ok && after == p.stored {
						return false, p
					}
				}
				if next != p.stored && isTooLate(history[other], next) {
					return false, p
				}
			}
			p.stored = alike.first(next)
			p.setDone(this)
			return true, p
		},
	}
}

// alikes has for each value of a group the first one that no answer can tell
// from it: there is none between them that somebody was answered, or that was
// imported.
type alikes [historyGroups]map[int64]int64

func newAlikes(history []porcupine.Operation) (a alikes) {
	var seen [historyGroups]map[int64]bool
	for g := range seen {
		seen[g] = map[int64]bool{}
	}
	var greatest int64
	see := func(group int, value int64) {
		if value != absent {
			seen[group][value] = true
			greatest = max(greatest, value)
		}
	}
	for _, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		if in.group != all {
			see(in.group, in.value)
			see(in.group, out.value)
		}
		for g, row := range out.rows {
			for _, value := range row {
				see(g, value)
			}
		}
	}
	for g := range a {
		a[g] = map[int64]int64{}
		var first int64
		for value := range greatest {
			if seen[g][value] {
				a[g][value], first = value, value+1
			} else {
				a[g][value] = first
			}
		}
	}
	return a
}

// first returns a table in which the values that are not the greatest of their
// group are the first of those alike.
func (a alikes) first(t table) table {
	for g := range t {
		greatest := slices.Max(t[g][:])
		for c, value := range t[g] {
			if first, ok := a[g][value]; ok && value != greatest {
				t[g][c] = first
			}
		}
	}
	return t
}

// happens tells whether a call can have had its answer when t was stored, and
// what was stored then.
func happens(op porcupine.Operation, t table) (table, bool) {
	want, next := step(t, op.Input.(input))
	return next, want == op.Output.(output)
}

// isTooLate tells that a call cannot have its answer any more.
func isTooLate(op porcupine.Operation, t table) bool {
	switch in, out := op.Input.(input), op.Output.(output); in.method {
	case "getPR":
		return slices.Max(t[in.group][:]) > out.value
	case "importone":
		return t[in.group][in.checksum] > out.value
	case "export":
		for g := range t {
			if seen := slices.Max(out.rows[g][:]); seen != absent && slices.Max(t[g][:]) > seen {
				return true
			}
		}
	}
	return false
}

func describe(history []porcupine.Operation) (text string) {
	for _, op := range history {
		text += fmt.Sprintf("%9d to %9d ns, client %2d: ", op.Call, op.Return, op.ClientId)
		switch in, out := op.Input.(input), op.Output.(output); in.method {
		case "getPR":
			text += fmt.Sprintf("getPR(%d, %d) -> %d\n", in.group, in.checksum, out.value)
		case "importone":
			text += fmt.Sprintf("importone(%d, %d, %d) -> %d\n", in.group, in.checksum, in.value, out.value)
		default:
			text += fmt.Sprintf("%s(%d, %d) -> %v\n", in.method, in.group, in.checksum, out.rows)
		}
	}
	return text
}

// step returns what a call has to answer, and what is stored then.
func step(t table, in input) (output, table) {
	none := output{rows: emptyTable()}
	switch in.method {
	case "getPR":
		row := &t[in.group]
		greatest := slices.Max(row[:]) // absent, which is -1, makes the first value 0
		if row[in.checksum] == absent || row[in.checksum] < greatest {
			row[in.checksum] = greatest + 1
		}
		none.value = row[in.checksum]
		return none, t
	case "importone":
		row := &t[in.group]
		row[in.checksum] = max(row[in.checksum], in.value)
		none.value = row[in.checksum]
		return none, t
	case "export":
		for g := range t {
			greatest := slices.Max(t[g][:])
			for c, v := range t[g] {
				if v == greatest && (in.group == all || in.group == g) && (in.checksum == all || in.checksum == c) {
					none.rows[g][c] = v
				}
			}
		}
		return none, t
	case "stored":
		none.rows = t
		return none, t
	}
	panic("no method " + in.method)
}

// partition splits a history by groups, which know nothing of each other,
// unless one of its exports sees several of them at once.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, historyGroups)
	for _, op := range history {
		in := op.Input.(input)
		switch {
		case in.method == "stored":
			// The last call: it says of each group what it says of all.
			for g := range parts {
				out := output{rows: emptyTable()}
				out.rows[g] = op.Output.(output).rows[g]
				part := op
				part.Output = out
				parts[g] = append(parts[g], part)
			}
		case in.group == all:
			return [][]porcupine.Operation{history}
		default:
			parts[in.group] = append(parts[in.group], op)
		}
	}
	return parts
}

// isLinearizable looks for an order of the calls, each at some time between
// its start and its answer, in which one client alone would have had these
// answers.
func isLinearizable(history []porcupine.Operation) bool {
	for _, part := range partition(history) {
		slices.SortStableFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		places := slices.Clone(part)
		for i := range places {
			places[i].Input, places[i].Output = i, nil
		}
		attempts := 0
		for _, op := range part {
			if op.Input.(input).attempt {
				attempts++
			}
		}
		// Few of them have changed something, and the checker's work grows with
		// what it may try.
		most := 0
		for !porcupine.CheckOperations(serviceModel(part, most), places) {
			if most >= attempts {
				return false
			}
			most = min(2*most+1, attempts)
		}
	}
	return true
}

// check checks what clients were answered. Some calls may have been made twice.
func check(history []porcupine.Operation, twice func(porcupine.Operation) bool) error {
	slices.SortStableFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	if !isLinearizable(withAttempts(history, twice)) {
		return fmt.Errorf("these answers fit no order of the calls:\n%s", describe(history))
	}
	if broken := brokenPromise(history); broken != "" {
		return fmt.Errorf("%s:\n%s", broken, describe(history))
	}
	return nil
}

// brokenPromise checks, without the model, what the service promises of the
// values that getPR makes: no two checksums of a group share one, in what was
// answered and in what is stored, and they grow from call to call. Values that
// were imported may be anything. It returns what is wrong, or nothing.
func brokenPromise(history []porcupine.Operation) string {
	type holder struct {
		group, checksum int
		value           int64
	}
	// A value was made no sooner than the first call that was answered with it,
	// and no later than the first such answer.
	type span struct{ notBefore, known int64 }
	imported := map[holder]bool{}
	made := map[holder]span{}
	for _, op := range history {
		if in := op.Input.(input); in.method == "importone" {
			imported[holder{in.group, in.checksum, in.value}] = true
		}
	}
	for _, op := range history {
		in := op.Input.(input)
		h := holder{in.group, in.checksum, op.Output.(output).value}
		if in.method != "getPR" || imported[h] {
			continue
		}
		when, ok := made[h]
		if !ok {
			when = span{op.Call, op.Return}
		}
		made[h] = span{min(when.notBefore, op.Call), min(when.known, op.Return)}
	}
	for a, whenA := range made {
		for b, whenB := range made {
			switch {
			case a.group != b.group || a == b:
			case a.value == b.value:
				return fmt.Sprintf("checksums %d and %d of group %d both got %d", a.checksum, b.checksum, a.group, a.value)
			case whenA.known < whenB.notBefore && a.value > b.value:
				return fmt.Sprintf("in group %d, %d was made after %d", a.group, b.value, a.value)
			}
		}
	}
	stored := history[len(history)-1]
	if stored.Input.(input).method != "stored" {
		return "nobody has looked into the file"
	}
	for g, row := range stored.Output.(output).rows {
		for c, v := range row {
			h := holder{g, c, v}
			if _, ok := made[h]; v != absent && !ok && !imported[h] {
				return fmt.Sprintf("checksum %d of group %d has %d stored, which nobody was answered", c, g, v)
			}
		}
	}
	for h := range made {
		if now := stored.Output.(output).rows[h.group][h.checksum]; now < h.value {
			return fmt.Sprintf("checksum %d of group %d was answered %d, stored is %d", h.checksum, h.group, h.value, now)
		}
	}
	return ""
}
