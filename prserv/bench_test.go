package prserv_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"prserver/prserv/prservtest"
)

// BenchmarkServeKnown is a whole call over a connection of its own.
func BenchmarkServeKnown(b *testing.B) {
	benchmarkKnown(b, prservtest.Serve(b, prservtest.NewFile(b)).Addr)
}

// benchmarkKnown asks for a known value.
func benchmarkKnown(b *testing.B, addr string) {
	body := "<?xml version='1.0'?>\n<methodCall>\n<methodName>getPR</methodName>\n<params>\n" +
		"<param>\n<value><string>make-4.1-r0</string></value>\n</param>\n" +
		"<param>\n<value><string>core2-64</string></value>\n</param>\n" +
		"<param>\n<value><string>9e107d9d372bb6826bd81d3542a419d6</string></value>\n</param>\n</params>\n</methodCall>\n"
	request := fmt.Sprintf("POST /RPC2 HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n"+
		"User-Agent: Python-xmlrpc/3.8\r\nContent-Length: %d\r\n\r\n%s", addr, len(body), body)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			io.WriteString(conn, request)
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	})
}
