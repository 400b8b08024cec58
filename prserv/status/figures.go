package status

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"prserver/prserv"
	"prserver/prserv/access"
	"prserver/prserv/store"
)

// figures are the metrics that are counted as things happen. Everything else is
// looked at when it is asked for.
type figures struct {
	set     *metrics.Set
	methods map[methodKey]*methodFigures // never changed, so it needs no lock

	stored, failed  *metrics.Counter
	commitCalls     *metrics.PrometheusHistogram
	syncSeconds     *metrics.PrometheusHistogram
	given, imported *metrics.Counter
	asked, unasked  *metrics.Counter
	upstreamSeconds *metrics.PrometheusHistogram
	lastDump        *metrics.Gauge
	quitsRefused    *metrics.Counter
	refused         map[string]*metrics.Counter // by reason; never changed
}

type methodKey struct {
	wire   prserv.Wire
	method string
}

type methodFigures struct {
	seconds *metrics.PrometheusHistogram
	calls   [len(generationNames)][len(outcomes)]*metrics.Counter
}

// What labels are called.
var (
	wires    = [...]prserv.Wire{prserv.ByXMLRPC, prserv.ByJSONLines}
	outcomes = [...]prserv.Outcome{prserv.Answered, prserv.Nothing, prserv.Fault, prserv.Closed}
	// generationNames has 0 for a client of generation 2 or 3.
	generationNames = [...]string{"2-3", "1", "2", "3"}
)

var (
	// callBounds are for calls: a known value takes a tenth of a millisecond, a
	// dump minutes.
	callBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	// syncBounds are for disks.
	syncBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	// commitBounds are for calls that share a commit, of which there may be 256.
	commitBounds = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}
)

// newFigures makes every series there can ever be, so that no client can make
// one, and counting takes no lock.
func newFigures(s *Status) *figures {
	set := metrics.NewSet()
	f := &figures{set: set, methods: map[methodKey]*methodFigures{}}
	for _, wire := range wires {
		for _, method := range append(prserv.Methods(wire), "") {
			of := methodKey{wire, method}
			name := method
			if method == "" {
				name = "unknown"
			}
			m := &methodFigures{seconds: set.NewPrometheusHistogramExt(
				fmt.Sprintf(`prserv_call_seconds{wire=%q,method=%q}`, wire, name), callBounds)}
			f.methods[of] = m
			for generation, generationName := range generationNames {
				if (generation == 1) != (of.wire == prserv.ByXMLRPC) {
					continue
				}
				for _, outcome := range outcomes {
					m.calls[generation][outcome] = set.NewCounter(fmt.Sprintf(
						`prserv_calls_total{wire=%q,generation=%q,method=%q,outcome=%q}`, wire, generationName, name, outcome))
				}
			}
		}
	}
	f.stored = set.NewCounter(`prserv_commits_total{outcome="stored"}`)
	f.failed = set.NewCounter(`prserv_commits_total{outcome="failed"}`)
	f.commitCalls = set.NewPrometheusHistogramExt("prserv_commit_calls", commitBounds)
	f.syncSeconds = set.NewPrometheusHistogramExt("prserv_commit_sync_seconds", syncBounds)
	f.given = set.NewCounter(`prserv_values_stored_total{kind="given"}`)
	f.imported = set.NewCounter(`prserv_values_stored_total{kind="imported"}`)
	f.asked = set.NewCounter(`prserv_upstream_calls_total{outcome="answered"}`)
	f.unasked = set.NewCounter(`prserv_upstream_calls_total{outcome="failed"}`)
	f.upstreamSeconds = set.NewPrometheusHistogramExt("prserv_upstream_call_seconds", callBounds)
	f.lastDump = set.NewGauge("prserv_last_dump_timestamp_seconds", nil)
	f.quitsRefused = set.NewCounter("prserv_quits_refused_total")
	f.refused = map[string]*metrics.Counter{}
	for _, reason := range access.Reasons() {
		f.refused[reason] = set.NewCounter(fmt.Sprintf(`prserv_refused_total{reason=%q}`, reason))
	}
	f.addLooks(s)
	return f
}

// addLooks adds what is looked at when it is asked for.
func (f *figures) addLooks(s *Status) {
	gauge := func(name string, look func() float64) { f.set.NewGauge(name, look) }
	gauge(`prserv_connections{kind="xmlrpc"}`, func() float64 { n, _, _ := s.config.Connections(); return float64(n) })
	gauge(`prserv_connections{kind="jsonlines"}`, func() float64 { _, n, _ := s.config.Connections(); return float64(n) })
	gauge(`prserv_connections{kind="silent"}`, func() float64 { _, _, n := s.config.Connections(); return float64(n) })
	if pg := s.config.PostgreSQL; pg != nil {
		gauge("prserv_pg_connected", func() float64 { return oneIf(pg.Connected()) })
		gauge("prserv_pg_retries_total", func() float64 { return float64(pg.Retries()) })
		gauge("prserv_pg_timeline", func() float64 { return float64(pg.Timeline()) })
	} else {
		gauge("prserv_database_bytes", func() float64 { return sizeOf(s.config.File) })
		gauge("prserv_database_log_bytes", func() float64 { return sizeOf(s.config.File + "-wal") })
	}
	gauge("prserv_ready", func() float64 { return oneIf(s.config.Ready() == nil) })
	if past := s.config.HistoryState; past != nil {
		gauge("prserv_history_ready", func() float64 { return oneIf(past().Trouble == nil) })
		gauge("prserv_history_events_total", func() float64 { return float64(past().Written) })
		gauge("prserv_history_dropped_total", func() float64 { return float64(past().Dropped) })
		gauge("prserv_history_bytes", func() float64 { return sizeOf(s.config.History) })
	}
	gauge(fmt.Sprintf(`prserv_build_info{version=%q,revision=%q,goversion=%q}`, version(), revision(), runtime.Version()),
		func() float64 { return 1 })
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func sizeOf(file string) float64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func revision() string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}

// Called implements [prserv.Observer].
func (s *Status) Called(c prserv.Call) {
	f := s.figures
	m := f.methods[methodKey{c.Wire, c.Method}]
	m.seconds.Update(c.Took.Seconds())
	m.calls[c.Generation][c.Outcome].Inc()
	switch {
	case c.Method == "dump_db" && c.Outcome == prserv.Answered:
		f.lastDump.Set(float64(time.Now().Unix()))
	case c.Method == "quit" && c.Outcome == prserv.Fault:
		f.quitsRefused.Inc()
	}
}

// Refused counts what is refused.
func (s *Status) Refused(r store.Refusal) { s.figures.refused[r.Reason].Inc() }

// AskedUpstream implements [prserv.Observer].
func (s *Status) AskedUpstream(took time.Duration, err error) {
	s.figures.upstreamSeconds.Update(took.Seconds())
	if err != nil {
		s.figures.unasked.Inc()
	} else {
		s.figures.asked.Inc()
	}
}

// Committed implements [store.Observer].
func (s *Status) Committed(c store.Commit) {
	f := s.figures
	if c.Err != nil {
		f.failed.Inc()
		return
	}
	f.stored.Inc()
	f.commitCalls.Update(float64(c.Calls))
	f.syncSeconds.Update(c.Sync.Seconds())
	s.newest.add(time.Now(), c.Changes)
	for i := range c.Changes {
		switch c.Changes[i].Asker.Method {
		case "importone", "import-one":
			f.imported.Inc()
		default:
			f.given.Inc()
		}
	}
}
