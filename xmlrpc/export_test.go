package xmlrpc

// Scan shows the external tests what the scanner sees.
func Scan(data []byte, start, end, text func([]byte)) error {
	return scan(data, watcher{start, end, text}, false)
}

type watcher struct{ start, end, chars func([]byte) }

func (w watcher) startElement(tag []byte) error { w.start(tag); return nil }
func (w watcher) endElement(tag []byte) error   { w.end(tag); return nil }
func (w watcher) text(data []byte)              { w.chars(data) }

// Large returns how many large requests are under way.
func (h *Handler) Large() int { return len(h.largePlaces()) }
