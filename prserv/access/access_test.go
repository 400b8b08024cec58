package access_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"prserver/prserv/access"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		values []string
		want   string // networks, or the beginning of an error
	}{
		{nil, ""},
		{[]string{"192.0.2.0/24"}, "192.0.2.0/24"},
		{[]string{"192.0.2.7, 10.0.0.0/8", "2001:db8::/32,"}, "192.0.2.7/32 10.0.0.0/8 2001:db8::/32"},
		{[]string{"10.0.0.5/8"}, `--allow: "10.0.0.5/8" is an address in a network; give 10.0.0.5 for the address, or 10.0.0.0/8 for the network`},
		{[]string{"::ffff:192.0.2.7,::ffff:10.0.0.0/104"}, "192.0.2.7/32 10.0.0.0/8"},
		{[]string{"0.0.0.0/0,::/0"}, "0.0.0.0/0 ::/0"},
		{[]string{"ci.example.com"}, `--allow: "ci.example.com" is no address and no network; give `},
		{[]string{"localhost"}, `--allow: "localhost" is `},
		{[]string{"192.0.2.0/33"}, `--allow: "192.0.2.0/33" is `},
		{[]string{"192.0.2.*"}, `--allow: "192.0.2.*" is `},
		{[]string{"192.0.2"}, `--allow: "192.0.2" is `},
		{[]string{"fe80::1%eth0"}, `--allow: "fe80::1%eth0" is `},
		{[]string{"::ffff:0.0.0.0/90"}, `--allow: "::ffff:0.0.0.0/90" is `},
		{[]string{"10.0.0.1 10.0.0.2"}, `--allow: "10.0.0.1 10.0.0.2" is `},
		{[]string{"a\nb"}, `--allow: "a\nb" is `},
		{[]string{""}, "--allow is empty; "},
		{[]string{"192.0.2.7", " , "}, "--allow is empty; "},
	} {
		list, err := access.Parse("--allow", test.values)
		if err != nil {
			if got := err.Error(); test.want == "" || !strings.HasPrefix(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("%q: error %q, want %q", test.values, got, test.want)
			}
			continue
		}
		var got []string
		for _, network := range list {
			got = append(got, network.String())
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: got %q, want %q", test.values, got, test.want)
		}
	}
}

// peer is a client at an address.
func peer(addr string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 4711))
}

func TestRights(t *testing.T) {
	list := func(networks string) access.List {
		l, err := access.Parse("", []string{networks})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	rules := access.Rules{
		Allow:        list("192.0.2.0/24,2001:db8::/64,fe80::/10"),
		ReadOnlyFrom: list("192.0.2.128/25"),
		AllowImport:  list("192.0.2.1"),
	}
	for addr, want := range map[string]access.Rights{
		"192.0.2.1":          {},
		"::ffff:192.0.2.1":   {}, // on a socket for both
		"192.0.2.2":          {NoImport: true},
		"192.0.2.200":        {ReadOnly: true, NoImport: true},
		"192.0.3.1":          {Refused: true, NoImport: true},
		"::ffff:192.0.3.1":   {Refused: true, NoImport: true},
		"2001:db8::7":        {NoImport: true},
		"2001:db8:0:1::7":    {Refused: true, NoImport: true},
		"fe80::1%eth0":       {NoImport: true},
		"127.0.0.1":          {Refused: true, NoImport: true},
		"::ffff:192.0.2.200": {ReadOnly: true, NoImport: true},
	} {
		if got := rules.For(access.Of(peer(addr))); got != want {
			t.Errorf("%s: got %+v, want %+v", addr, got, want)
		}
		if got := new(access.Rules).For(access.Of(peer(addr))); got != (access.Rights{}) {
			t.Errorf("%s without rules: got %+v", addr, got)
		}
	}
	pipe, other := net.Pipe()
	defer other.Close()
	defer pipe.Close()
	if got := rules.For(access.Of(pipe.RemoteAddr())); !got.Refused {
		t.Errorf("a peer without an address: got %+v, want it refused", got)
	}
}

// TestHourly counts what would be told of a stream of refusals.
func TestHourly(t *testing.T) {
	var h access.Hourly
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	want := func(addr netip.Addr, reason string, after time.Duration, first, others bool) {
		t.Helper()
		gotFirst, gotOthers := h.First(addr, reason, now.Add(after))
		if gotFirst != first || gotOthers != others {
			t.Errorf("%v %s after %v: got %v, %v; want %v, %v", addr, reason, after, gotFirst, gotOthers, first, others)
		}
	}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	want(a, "x", 0, true, false)
	want(a, "x", time.Minute, false, false)
	want(a, "y", time.Minute, true, false)
	want(b, "x", time.Minute, true, false)
	want(a, "x", time.Hour-1, false, false)
	want(a, "x", time.Hour, true, false)
	want(a, "x", 2*time.Hour-1, false, false)

	// Many addresses are told as one, once an hour, and forgotten after that.
	addr := netip.MustParseAddr("10.0.0.0")
	told := 0
	for range 100_000 {
		addr = addr.Next()
		if first, others := h.First(addr, "x", now.Add(3*time.Hour)); first && !others {
			told++
		}
	}
	if told != 1024 {
		t.Errorf("%d addresses were told apart, want 1024", told)
	}
	want(addr, "x", 3*time.Hour+time.Minute, false, true)
	want(a, "y", 3*time.Hour+time.Minute, true, true)
	want(a, "x", 5*time.Hour, true, false)
}
