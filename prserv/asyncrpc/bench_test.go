package asyncrpc_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/asyncrpc"
)

// getPR is the message that is nearly all of a PR server's work, as BitBake
// 2.10 sends it.
const getPR = `{"get-pr": {"version": "glibc-2.31+gitAUTOINC+6fdf971c9d-r0", "pkgarch": "cortexa57-poky-linux", ` +
	`"checksum": "5e1a9f0b6b3b3c3f6b58d1d7a2c8f2d15e1a9f0b6b3b3c3f6b58d1d7a2c8f2d1", "history": false}}` + "\n"

// answerGetPR answers without a database.
func answerGetPR(_ context.Context, _ *asyncrpc.Session, message any) (any, error) {
	object, _ := message.(asyncrpc.Object)
	args, _ := object.Get("get-pr")
	key, _ := args.(asyncrpc.Object)
	for _, name := range []string{"version", "pkgarch", "checksum", "history"} {
		if _, ok := key.Get(name); !ok {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	return asyncrpc.Object{{"value", "42"}}, nil
}

// serveNothing answers a fixed line to each line.
func serveNothing(b *testing.B) string {
	answer := []byte(`{"value": "42"}` + "\n")
	return listen(b, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := r.ReadSlice('\n'); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	})
}

// BenchmarkKept asks over 32 connections that are kept, a handler and, beside
// it, a server that does nothing.
func BenchmarkKept(b *testing.B) {
	for _, side := range []struct{ name, addr, hello string }{
		{"nothing", serveNothing(b), ""},
		{"handler", serve(b, asyncrpc.HandlerConfig{Serve: answerGetPR}), hello},
	} {
		b.Run(side.name, func(b *testing.B) {
			b.SetParallelism(16)
			before := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", side.addr)
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, side.hello)
				r, message := bufio.NewReader(conn), []byte(getPR)
				for pb.Next() {
					if _, err := conn.Write(message); err != nil {
						b.Error(err)
						return
					}
					if _, err := r.ReadSlice('\n'); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime returns what this process, which is both sides, has had of the
// processors. On a busy machine it says more than the time that has passed.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(getPR)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := asyncrpc.Unmarshal(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	row := asyncrpc.Object{
		{"version", "glibc-2.31+gitAUTOINC+6fdf971c9d-r0"}, {"pkgarch", "cortexa57-poky-linux"},
		{"checksum", "5e1a9f0b6b3b3c3f6b58d1d7a2c8f2d15e1a9f0b6b3b3c3f6b58d1d7a2c8f2d1"}, {"value", int64(42)},
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = asyncrpc.Append(out[:0], row)
	}
}

// BenchmarkStream sends an export of 40,000 rows, 6 MB.
func BenchmarkStream(b *testing.B) {
	addr := serve(b, asyncrpc.HandlerConfig{Serve: func(context.Context, *asyncrpc.Session, any) (any, error) {
		return asyncrpc.Stream(func(w io.Writer) error {
			var row []byte
			for i := range 40000 {
				row = asyncrpc.Append(append(row[:0], "[, "[min(i, 1):min(i*2+1, 3)]...), asyncrpc.Object{
					{"version", "glibc-2.31+gitAUTOINC+6fdf971c9d-r0"}, {"pkgarch", "cortexa57-poky-linux"},
					{"checksum", "5e1a9f0b6b3b3c3f6b58d1d7a2c8f2d15e1a9f0b6b3b3c3f6b58d1d7a2c8f2d1"}, {"value", int64(i)},
				})
				if _, err := w.Write(row); err != nil {
					return err
				}
			}
			_, err := io.WriteString(w, "]")
			return err
		}), nil
	}})
	conn := dial(b, addr, 1<<30)
	b.ReportAllocs()
	for b.Loop() {
		size := int64(0)
		err := conn.Stream(b.Context(), asyncrpc.Object{}, func(text io.Reader) (err error) {
			size, err = io.Copy(io.Discard, text)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
	}
}
