package xmlrpc_test

import (
	"fmt"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

// getPR is a call as Python's client writes it, of the method that is nearly all
// of a PR server's work.
const getPR = "<?xml version='1.0'?>\n<methodCall>\n<methodName>getPR</methodName>\n<params>\n" +
	"<param>\n<value><string>glibc-2.31+gitAUTOINC+6fdf971c9d-r0</string></value>\n</param>\n" +
	"<param>\n<value><string>cortexa57-poky-linux</string></value>\n</param>\n" +
	"<param>\n<value><string>sstate:glibc:aarch64-poky-linux:2.31:r0:3:5e1a9f0b6b3b3c3f6b58d1d7a2c8f2d1</string></value>\n</param>\n" +
	"</params>\n</methodCall>\n"

func BenchmarkDecodeGetPR(b *testing.B) {
	body := []byte(getPR)
	for _, d := range dialects {
		b.Run(d.Name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := xmlrpc.Decode(body, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeInt(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := xmlrpc.Encode(nil, int64(42), compat.Py2); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeExport(b *testing.B) {
	const rows = 10_000
	table := make([]any, rows)
	for i := range table {
		table[i] = xmlrpc.Struct{
			{Name: "version", Value: fmt.Sprintf("recipe%d-1.0+gitAUTOINC+6fdf971c9d-r0", i)},
			{Name: "pkgarch", Value: "cortexa57-poky-linux"},
			{Name: "checksum", Value: fmt.Sprintf("%064x", i)},
			{Name: "value", Value: int64(i)},
		}
	}
	for _, d := range dialects {
		b.Run(d.Name, func(b *testing.B) {
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				body, err := xmlrpc.Encode(nil, table, d)
				if err != nil {
					b.Fatal(err)
				}
				size = len(body)
			}
			b.SetBytes(int64(size))
		})
	}
}
