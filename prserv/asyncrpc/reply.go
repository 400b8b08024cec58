package asyncrpc

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"prserver/xmlrpc/spool"
)

// reply adds a reply to the answers that are to be sent. The error is that of a
// stream, of making room for it, or of sending.
func (s *Session) reply(v any) error {
	if stream, ok := v.(Stream); ok {
		return s.stream(stream)
	}
	start := len(s.out)
	s.out = Append(s.out, v)
	if len(s.out)-start >= chunkSize {
		text := s.out[start:]
		s.out = s.out[:start]
		return s.stream(func(w io.Writer) error { _, err := w.Write(text); return err })
	}
	s.out = append(s.out, '\n')
	if len(s.out) >= writePiece {
		return s.flush()
	}
	return nil
}

// stream makes all of a reply before it sends any of it, so that a slow client
// keeps only room waiting.
func (s *Session) stream(write Stream) error {
	text := spool.New(s.account)
	defer text.Close()
	buffered := bufio.NewWriterSize(text, 64<<10)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return &serveError{err}
	}
	r, err := reader(text)
	if err != nil {
		return err
	}
	if text.Size() < chunkSize {
		small := bytes.NewBuffer(s.out)
		_, err := small.ReadFrom(r)
		s.out = append(small.Bytes(), '\n')
		return err
	}
	return s.sendChunks(r)
}

// reader reads what is in a spool.
func reader(text *spool.Spool) (io.Reader, error) {
	file, err := text.File()
	if file != nil || err != nil {
		return file, err
	}
	return bytes.NewReader(text.Held()), nil
}

// sendChunks sends the answers, and the text in r behind them.
func (s *Session) sendChunks(r io.Reader) error {
	s.enter(spool.Sending)
	chunks := chunker{out: s.out}
	s.out = nil
	chunks.begin()
	piece := make([]byte, 64<<10)
	for {
		n, err := r.Read(piece)
		chunks.add(piece[:n])
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil {
			break
		}
		if len(chunks.out) >= writePiece {
			if err := s.write(chunks.out); err != nil {
				return err
			}
			chunks.out = chunks.out[:0]
		}
	}
	chunks.end()
	s.out = chunks.out
	return s.flush()
}

// flush sends the answers that are to be sent. Afterwards the client is waited
// for, and nothing is held for it.
func (s *Session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	s.enter(spool.Sending)
	err := s.write(s.out)
	if s.out = s.out[:0]; cap(s.out) > keptOut {
		s.out = nil
	}
	if err != nil {
		return err
	}
	s.enter(spool.Reading)
	return nil
}

// write sends answers in time. The deadline is set anew only when half of it is
// over: to set it takes longer than to make most answers.
func (s *Session) write(answers []byte) error {
	for len(answers) > 0 {
		timeout := s.handler.WriteTimeout
		if now := time.Now(); s.writeBy.Sub(now) < timeout {
			s.writeBy = now.Add(2 * timeout)
			s.Conn.SetWriteDeadline(s.writeBy)
		}
		n := min(len(answers), writePiece)
		if _, err := s.Conn.Write(answers[:n]); err != nil {
			return &connError{err}
		}
		answers = answers[n:]
	}
	return nil
}

// enter notes what the session is about.
func (s *Session) enter(p spool.Phase) {
	if s.phase != p {
		s.phase = p
		s.account.Enter(p)
	}
}

// hold takes room for what the client has sent.
func (s *Session) hold(n int) error {
	if err := s.flush(); err != nil { // which lets go of what is held
		return err
	}
	return s.account.Hold(n)
}

// ended makes an answer of the reason for which a session ends, or logs it. It
// returns whether the client may be sending still.
func (s *Session) ended(err error) (refused bool) {
	var invoke *InvokeError
	var conn *connError
	served, isServed := err.(*serveError)
	switch {
	case isServed && errors.As(served.error, &invoke) && (invoke.Passes || s.isBare()):
		s.out = append(s.out, strings.Join(strings.Fields(invoke.Message), " ")...)
	case isServed && errors.As(served.error, &invoke):
		if s.reply(invoke.message()) != nil {
			return false
		}
	case err == errEnd:
	case !isServed && errors.As(err, &conn):
		s.handler.Log.Debug("session ended", "client", s.Client(), "error", err)
		return false
	default:
		s.handler.Log.Warn("message refused", "client", s.Client(), "error", err)
	}
	return true
}

// linger lets a client that is still sending read its answers.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		io.Copy(io.Discard, conn)
	}
}
