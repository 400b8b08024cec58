package main

import (
	"bytes"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 3, 2, 1}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}
	}
}

func TestMet(t *testing.T) {
	for _, test := range []struct {
		goal  goal
		value float64
		want  string
	}{
		{none, 1, ""},
		{atLeast(0.9), 1, "yes"}, {atLeast(0.9), 0.9, "yes"}, {atLeast(0.9), 0.89, "no"},
		{atMost(2), 1, "yes"}, {atMost(2), 2, "yes"}, {atMost(2), 2.1, "no"},
	} {
		f := figure{goal: test.goal, rounds: []float64{test.value}}
		if got := f.met(); got != test.want {
			t.Errorf("%v with the goal %v: %q, want %q", test.value, test.goal, got, test.want)
		}
	}
}

func TestFiguresWrite(t *testing.T) {
	var f figures
	for _, round := range []float64{1, 0.02, 0.5} {
		f.add("known, to no-op: calls/s", atLeast(0.9), round)
		f.add("start", atMost(200).in("ms"), 123*round)
	}
	f.add("start", atMost(200).in("ms"), 0) // not known
	f.add("rate", none.in("a second"), 12345)
	f.add("never known", none, 0)
	var out bytes.Buffer
	f.write(&out, "ratio")
	want := `| ratio | median | lowest to highest | goal | met |
|---|--:|--:|--:|--:|
| known, to no-op: calls/s | 0.50 | 0.020 to 1.00 | >= 0.90 | no |
| start | 61.5 ms | 2.46 to 123 ms | <= 200 ms | yes |
| rate | 12345 a second |  |  |  |

`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
