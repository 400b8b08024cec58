package status

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// family describes the metrics of a name.
type family struct{ kind, help string }

// families are all that are told; what the library has beside them is left out.
var families = map[string]family{
	"prserv_build_info":                  {"gauge", "The program, as 1."},
	"prserv_call_seconds":                {"histogram", "Time until the answer to a call was ready, without sending it."},
	"prserv_calls_total":                 {"counter", "Calls of PR clients."},
	"prserv_commit_calls":                {"histogram", "Calls that shared a commit."},
	"prserv_commit_sync_seconds":         {"histogram", "Time for a commit, most of which is the disk."},
	"prserv_commits_total":               {"counter", "Transactions of the database."},
	"prserv_connections":                 {"gauge", "Open connections of PR clients, by what they speak."},
	"prserv_database_bytes":              {"gauge", "Size of the database file."},
	"prserv_database_log_bytes":          {"gauge", "Size of the write-ahead log beside the database file."},
	"prserv_history_bytes":               {"gauge", "Size of the history."},
	"prserv_history_dropped_total":       {"counter", "Events that came faster than the history could be written, and are missing."},
	"prserv_history_events_total":        {"counter", "Events that were written to the history."},
	"prserv_history_ready":               {"gauge", "Whether the history can be written, 1 or 0."},
	"prserv_last_dump_timestamp_seconds": {"gauge", "When the last dump was made, 0 if none was."},
	"prserv_pg_connected":                {"gauge", "Whether PostgreSQL has answered when it was last asked, 1 or 0."},
	"prserv_pg_retries_total":            {"counter", "What was tried again, because PostgreSQL had not answered or servers were in each other's way."},
	"prserv_pg_timeline":                 {"gauge", "How often another PostgreSQL has taken over, plus 1; 0 if that is not known."},
	"prserv_quits_refused_total":         {"counter", "Calls of quit that were not obeyed."},
	"prserv_ready":                       {"gauge", "Whether a value could be stored now, 1 or 0."},
	"prserv_refused_total":               {"counter", "Calls, clients and requests that were refused, by the option that does it."},
	"prserv_upstream_call_seconds":       {"histogram", "Time that the upstream server took."},
	"prserv_upstream_calls_total":        {"counter", "Questions to the upstream server."},
	"prserv_values_stored_total":         {"counter", "Values that were given out for the first time, or imported."},
	"process_cpu_seconds_total":          {"counter", "Processor time of the server."},
	"process_open_fds":                   {"gauge", "Open files of the server."},
	"process_resident_memory_bytes":      {"gauge", "Memory of the server."},
	"process_start_time_seconds":         {"gauge", "When the server was started."},
}

// metricsType is the text format of Prometheus.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

func (s *Status) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	var text bytes.Buffer
	s.figures.set.WritePrometheus(&text)
	metrics.WriteProcessMetrics(&text)
	metrics.WriteFDMetrics(&text)
	w.Header().Set("Content-Type", metricsType)
	describe(w, text.String())
}

// describe writes metrics with what their families are. The library has no help
// texts. Calls that never came are left out: most are of methods that only some
// clients know.
func describe(w io.Writer, text string) {
	last := ""
	for line := range strings.Lines(text) {
		name := familyOf(line)
		of, ok := families[name]
		if !ok || name == "prserv_calls_total" && strings.HasSuffix(line, " 0\n") {
			continue
		}
		if name != last {
			fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, of.help, name, of.kind)
			last = name
		}
		io.WriteString(w, line)
	}
}

// familyOf returns the family of a line.
func familyOf(line string) string {
	name := line[:strings.IndexAny(line+" ", "{ ")]
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, part); ok && families[base].kind == "histogram" {
			return base
		}
	}
	return name
}
