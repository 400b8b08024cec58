package golden

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

var codingTopics = []topic{
	httpGzipSession,
	httpGzipSizeSession,
	httpContentEncodingSession,
	httpAcceptEncodingSession,
	httpThresholdSession,
}

// gzipped compresses without a time, so that a request is the same each time it is made.
func gzipped(text string) string {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	writer.Write([]byte(text))
	writer.Close()
	return out.String()
}

func httpGzipSession(dialect Dialect) *script {
	s := newScript(dialect, "http-gzip",
		"Gzipped request bodies, good and bad. What Python's gzip module reports as an IOError (OSError) is status 400;",
		"what it reports otherwise is status 500.")
	gzip := with("Content-Encoding", "gzip")
	good := gzipped(pingBody)
	named := good[:3] + "\x08" + good[4:10] + "name\x00" + good[10:]
	s.post("good", good, gzip)
	s.post("a large one",
		gzipped("<methodCall><methodName>ping</methodName>"+strings.Repeat("<!-- x -->", 20000)+"</methodCall>"),
		gzip)
	s.post("good, not said so", good)
	s.post("not gzipped, said so", pingBody, gzip)
	s.post("empty", "", gzip)
	s.post("nothing in it", gzipped(""), gzip)
	s.post("text that does not parse", gzipped("x"), gzip)
	s.post("with a name", named, gzip)
	s.post("two members", gzipped(pingBody[:20])+gzipped(pingBody[20:]), gzip)
	s.post("zeros after it", good+"\x00\x00\x00\x00", gzip)
	s.post("garbage after it", good+"garbage", gzip)
	s.post("one byte after it", good+"x", gzip)
	s.post("half a second member", good+good[:10], gzip)
	for n := range len(good) {
		s.post(fmt.Sprintf("%d of %d bytes", n, len(good)), good[:n], gzip)
	}
	for n := range len(good) {
		bad := []byte(good)
		bad[n] ^= 0x55
		s.post(fmt.Sprintf("byte %d changed", n), string(bad), gzip)
	}
	s.post("raw deflate", good[10:len(good)-8], gzip)
	s.post("zlib", "\x78\x9c"+good[10:len(good)-8], gzip)
	s.post("the client ends too early", good, gzip, with("Content-Length", "1000"))
	s.halfClose()
	return s
}

func httpGzipSizeSession(dialect Dialect) *script {
	s := newScript(dialect, "http-gzip-size",
		"A gzipped body may hold 20 MiB and no more: with one byte more it is status 400. These are of many members.")
	const limit, part = 20 << 20, 1 << 20
	const head, tail = "<methodCall><methodName>ping</methodName><!--", "--></methodCall>"
	// Members of a gzip file may follow each other, and compressing one many times would take seconds.
	member := gzipped(strings.Repeat("x", part))
	for _, size := range []int{limit - 1, limit, limit + 1, limit + part} {
		filler := size - len(head) - len(tail)
		body := gzipped(head) + strings.Repeat(member, filler/part) + gzipped(strings.Repeat("x", filler%part)+tail)
		s.post(fmt.Sprintf("%d bytes", size), body, with("Content-Encoding", "gzip"))
	}
	return s
}

func httpContentEncodingSession(dialect Dialect) *script {
	s := newScript(dialect, "http-content-encoding",
		"The names of content encodings, in lower case and quoted as Python's repr does where they are not known.")
	for _, value := range []string{
		"identity", "IDENTITY", "Identity", "", " ", "deflate", "Deflate", "DEFLATE", "br", "zstd", "compress",
		"x-gzip", "gzip, gzip", "gzip,identity", "identity, gzip", "gzip;q=1", "it's", "say \"x\"", "'\"",
		"back\\slash", "tab\there", "é", "\xe9", "É", "日本", "a b", "<b>", "&amp;", "%s",
		"x" + strings.Repeat("y", 500), "\xa0x", "x\xa0", "\xad", "\xff", "\xd7",
		"none", "7bit", "\"gzip\"", "'gzip'", "gzi\u212a", "\u0130", "ẞ",
	} {
		s.post("Content-Encoding: "+value, pingBody, with("Content-Encoding", value))
	}
	for _, value := range []string{"gzip", "GZIP", "Gzip", " gzip ", "\tgzip"} {
		s.post("gzipped, Content-Encoding: "+value, gzipped(pingBody), with("Content-Encoding", value))
	}
	s.post("twice, gzip first", gzipped(pingBody), with("Content-Encoding", "gzip"),
		plus("Content-Encoding", "identity"))
	s.post("twice, gzip last", gzipped(pingBody), with("Content-Encoding", "identity"),
		plus("Content-Encoding", "gzip"))
	s.post("twice, both unknown", pingBody, with("Content-Encoding", "x"), plus("Content-Encoding", "y"))
	return s
}

// longCall is answered by a fault of the given length: it calls a method that is not there, by a name which the
// fault repeats.
func longCall(dialect Dialect, size int) string {
	around := map[Dialect]int{Py2: 317, Py3: 307}[dialect]
	return "<methodCall><methodName>" + strings.Repeat("x", size-around) + "</methodName></methodCall>"
}

func httpAcceptEncodingSession(dialect Dialect) *script {
	s := newScript(dialect, "http-accept-encoding",
		"What counts as accepting gzip, shown with a reply of 1,500 bytes. Python reads numbers with float and fails",
		"halfway through the reply where they are none.")
	for _, value := range []string{
		"gzip", "GZIP", "Gzip", "x-gzip", "deflate", "identity", "br", "*", "", " ", ",", "gzip, deflate",
		"deflate, gzip", "deflate,gzip", "deflate,,gzip", "gzip,gzip;q=0", "gzip;q=0,gzip", "gzip;q=0",
		"gzip;q=0.0", "gzip;q=0.000", "gzip;q=0.001", "gzip;q=0.5", "gzip;q=1", "gzip;q=1.0", "gzip;q=2",
		"gzip;q=-1", "gzip;q=", "gzip;q=x", "gzip;q=.5", "gzip;q=.0", "gzip;q=1.", "gzip;q=.", "gzip;q=..",
		"gzip;q=1.2.3", "gzip;q=1e5", "gzip;q=0e1", "gzip;q=0x",
		"gzip;Q=0", "gzip; q=0", "gzip ;q=0", "gzip ; q = 0", "gzip;q =0", "gzip;q= 0", "gzip;x=0", "gzip;x=1;q=0",
		"gzip;q=0;x=1", "gzip q=0", "gzip;", "gzip ;", ";gzip", "gzip;;q=0", "\tgzip", " gzip", "gzip ", "  gzip  ",
		"x gzip", "gzip x", "gzipx", "xgzip", "\"gzip\"", "gzip\xa0", "*;q=0", "*, gzip;q=0",
		"identity;q=0, gzip", "x;q=1.2.3, gzip", "gzip, x;q=1.2.3", "gzip;q=" + strings.Repeat("0", 500),
		"gzip;q=" + strings.Repeat("1", 400), "gzip;q=0." + strings.Repeat("0", 400) + "1",
	} {
		s.post("Accept-Encoding: "+value, longCall(dialect, 1500), with("Accept-Encoding", value))
	}
	s.post("absent", longCall(dialect, 1500), without("Accept-Encoding"))
	s.post("twice, gzip first", longCall(dialect, 1500), plus("Accept-Encoding", "identity"))
	s.post("twice, gzip last", longCall(dialect, 1500), with("Accept-Encoding", "identity"),
		plus("Accept-Encoding", "gzip"))
	s.post("a number that is none, a short reply", pingBody, with("Accept-Encoding", "gzip;q=1.2.3"))
	s.post("HTTP/1.0", longCall(dialect, 1500), startLine("POST /RPC2 HTTP/1.0"))
	return s
}

func httpThresholdSession(dialect Dialect) *script {
	s := newScript(dialect, "http-threshold", "Replies of more than 1,400 bytes are gzipped, one of 1,400 is not.")
	for _, size := range []int{1300, 1398, 1399, 1400, 1401, 1402, 1500, 10000} {
		s.post(fmt.Sprintf("%d bytes, gzip accepted", size), longCall(dialect, size))
		s.post(fmt.Sprintf("%d bytes, gzip not accepted", size), longCall(dialect, size),
			without("Accept-Encoding"))
	}
	for i := range 12 {
		s.call("fill", "getPR", fmt.Sprintf("v%02d", i), "all", md5A)
		s.call("a growing export", "export", nil, nil, nil, false)
	}
	s.call("a growing dump", "dump_db")
	return s
}
