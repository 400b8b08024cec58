package status

import "time"

// picture shows how often something happened in each minute of the last hour.
type picture struct {
	Name  string
	Bars  []bar
	Most  string // in a minute
	Total string // in the hour
	Wrong bool   // it is better if it does not happen
}

// bar is a minute. Its numbers are those of the picture, whose height is
// pictureHeight, and in which a minute is four wide.
type bar struct{ X, Y, Height int }

const pictureHeight = 60

// pictures draws what happened in the last hour.
func pictures(now time.Time, minutes []minute) []picture {
	return []picture{
		draw("Calls", now, minutes, false, func(m minute) uint64 { return m.Calls }),
		draw("New values", now, minutes, false, func(m minute) uint64 { return m.Values }),
		draw("Calls that failed", now, minutes, true, func(m minute) uint64 { return m.Failed }),
	}
}

func draw(name string, now time.Time, minutes []minute, wrong bool, of func(minute) uint64) picture {
	var at [keptMinutes]uint64
	var total, most uint64
	p := picture{Name: name, Wrong: wrong}
	for _, m := range minutes {
		n := of(m)
		total += n
		if ago := int(now.Sub(m.Begun) / time.Minute); ago >= 0 && ago < keptMinutes {
			at[keptMinutes-1-ago] += n
		}
	}
	for _, n := range at {
		most = max(most, n)
	}
	for i, n := range at {
		if n > 0 {
			height := max(2, int(n*pictureHeight/most)) // what happened at all can be seen
			p.Bars = append(p.Bars, bar{i * 4, pictureHeight - height, height})
		}
	}
	p.Most, p.Total = grouped(most), grouped(total)
	return p
}
