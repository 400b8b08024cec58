package postgres_test

import (
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/prservtest"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// plainLog is a log without times.
func plainLog() (*slog.Logger, *prservtest.Log) {
	text := &prservtest.Log{}
	leaveOutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{ReplaceAttr: leaveOutTime})), text
}

// TestOutages has PostgreSQL be away at times, and wants each line of the log.
func TestOutages(t *testing.T) {
	const second = time.Second
	type span struct{ away, there time.Duration }
	const gone = "level=ERROR msg=gone"
	again := func(after string) string { return `level=WARN msg="PostgreSQL answers again, after ` + after + `"` }
	const storm = `level=WARN msg="PostgreSQL was away for short times: 31 within 1m0s"`
	for name, test := range map[string]struct {
		spans []span
		want  []string
	}{
		"a moment":   {[]span{{second / 4, second}}, nil},
		"once":       {[]span{{12 * second, second}}, []string{gone, again("12s")}},
		"to the end": {[]span{{12 * second, 0}}, []string{gone}},
		"days apart": {[]span{{2 * second, time.Hour}, {second, time.Hour}}, []string{gone, again("2s"), gone, again("1s")}},
		"again and again": {
			[]span{{second, second}, {second, second}, {3 * second, second}, {3 * second, second}, {3 * second, 2 * time.Minute}, {second, second}},
			[]string{gone, again("1s"), gone, again("3s"), gone, again("1s")},
		},
		"long ones": {slices.Repeat([]span{{70 * second, second}}, 3), []string{gone, again("1m10s"), gone, again("1m10s"), gone, again("1m10s")}},
		"a storm":   {slices.Repeat([]span{{second, second}}, 100), []string{gone, again("1s"), storm, storm, storm}},
	} {
		t.Run(name, func(t *testing.T) {
			var o postgres.Outages
			log, text := plainLog()
			now := time.Unix(1e9, 0)
			pass := func(d time.Duration, away string) {
				for end := now.Add(d); now.Before(end); now = now.Add(second / 4) {
					o.Look(log, now, away)
				}
			}
			pass(second, "")
			for _, s := range test.spans {
				pass(s.away, "gone")
				pass(s.there, "")
			}
			got := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
			if len(test.want) == 0 {
				test.want = []string{""}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestWatch stops PostgreSQL under a server that nobody asks, and starts it again:
// the log has one line for both of its connections, and one more.
func TestWatch(t *testing.T) {
	c := pgtest.Start(t)
	s := open(t, strings.Replace(c.Database(t), "postgres@", "postgres:secret@", 1))
	log, text := plainLog()
	stop := s.Watch(log)
	defer stop()
	c.Stop(syscall.SIGINT)
	prservtest.WaitFor(t, "the log to tell", func() bool { return text.String() != "" })
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	prservtest.WaitFor(t, "the log to tell that it answers", func() bool { return strings.Contains(text.String(), "again") })
	wantPR(t, s, key("v", "all", "a"), 0)
	stop()
	lines := strings.Split(text.String(), "\n")
	if len(lines) != 3 || lines[2] != "" ||
		!strings.HasPrefix(lines[0], `level=ERROR msg="PostgreSQL does not answer (`) || !strings.Contains(lines[0], `): calls wait" file=postgres://postgres@`) ||
		!strings.HasPrefix(lines[1], `level=WARN msg="PostgreSQL answers again, after `) || strings.Contains(text.String(), "secret") {
		t.Errorf("the log says\n%s", text)
	}
}
