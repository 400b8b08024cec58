package main

import (
	"fmt"
	"io"
	"slices"
)

// goal is the limit that a figure should keep.
type goal struct {
	limit   float64
	atLeast bool   // the figure should be at least limit, otherwise at most
	unit    string // with a space before it; empty for ratios
}

func atLeast(limit float64) goal { return goal{limit: limit, atLeast: true} }
func atMost(limit float64) goal  { return goal{limit: limit} }

func (g goal) in(unit string) goal {
	g.unit = " " + unit
	return g
}

// none is for a figure without a goal.
var none goal

// figure is a number that is measured once a round. Its median counts, since
// other programs of the machine can disturb a single round.
type figure struct {
	what   string
	goal   goal
	rounds []float64
}

// figures are in the order in which add first saw them.
type figures []*figure

// add adds the value of a round to a figure. It ignores 0, which means unknown.
func (f *figures) add(what string, g goal, value float64) {
	if value == 0 {
		return
	}
	i := slices.IndexFunc(*f, func(known *figure) bool { return known.what == what })
	if i < 0 {
		i = len(*f)
		*f = append(*f, &figure{what: what, goal: g})
	}
	(*f)[i].rounds = append((*f)[i].rounds, value)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	mid := len(values) / 2
	if len(values)%2 == 1 {
		return values[mid]
	}
	return (values[mid-1] + values[mid]) / 2
}

// write writes the figures as a table in Markdown.
func (f figures) write(out io.Writer, title string) {
	row(out, title, "median", "lowest to highest", "goal", "met")
	rule(out, 1, 4)
	for _, fig := range f {
		unit := fig.goal.unit
		between := short(slices.Min(fig.rounds)) + " to " + short(slices.Max(fig.rounds)) + unit
		if len(fig.rounds) == 1 {
			between = ""
		}
		row(out, fig.what, short(median(fig.rounds))+unit, between, fig.goal.String(), fig.met())
	}
	fmt.Fprintln(out)
}

func (g goal) String() string {
	switch {
	case g.limit == 0:
		return ""
	case g.atLeast:
		return ">= " + short(g.limit) + g.unit
	}
	return "<= " + short(g.limit) + g.unit
}

func (f *figure) met() string {
	m := median(f.rounds)
	switch {
	case f.goal.limit == 0:
		return ""
	case f.goal.atLeast == (m >= f.goal.limit) || m == f.goal.limit:
		return "yes"
	}
	return "no"
}

// short formats a number with two or three significant digits.
func short(n float64) string {
	switch {
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return fmt.Sprintf("%.1f", n)
	case n >= 0.1:
		return fmt.Sprintf("%.2f", n)
	}
	return fmt.Sprintf("%.3f", n)
}

// row writes a row of a Markdown table.
func row(out io.Writer, cells ...string) {
	for _, cell := range cells {
		fmt.Fprintf(out, "| %s ", cell)
	}
	fmt.Fprintln(out, "|")
}

// rule writes the line below the first row of a table: text columns, and behind
// them columns of numbers, which are aligned to the right.
func rule(out io.Writer, text, numbers int) {
	for range text {
		fmt.Fprint(out, "|---")
	}
	for range numbers {
		fmt.Fprint(out, "|--:")
	}
	fmt.Fprintln(out, "|")
}
