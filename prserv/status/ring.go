package status

// ring holds the last things that were put into it, up to a number.
type ring[T any] struct {
	size  int
	items []T
	next  int // where the next one goes, once all places are taken
}

func (r *ring[T]) add(item T) {
	if len(r.items) < r.size {
		r.items = append(r.items, item)
		return
	}
	r.items[r.next] = item
	r.next = (r.next + 1) % r.size
}

// newest returns what the ring holds, the newest first.
func (r *ring[T]) newest() []T {
	out := make([]T, len(r.items))
	for i := range out {
		out[i] = r.items[(r.next+len(r.items)-1-i)%len(r.items)]
	}
	return out
}
