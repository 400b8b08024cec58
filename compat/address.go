package compat

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// ParseIPv4 returns the address that a host stands for that is no name, in the
// forms that Python's gethostbyname takes: one to four numbers, decimal, octal
// behind a 0 or hexadecimal behind 0x, the last of which fills the bytes that
// are left, as in 127.1; the empty text for all addresses; and <broadcast>.
//
// Source: Modules/socketmodule.c:setipaddr of Python 3.8, inet_aton(3). Python
// 2.7 reads four numbers as decimal ones, whatever they begin with.
func ParseIPv4(host string) (ip netip.Addr, ok bool) {
	switch host {
	case "":
		return netip.IPv4Unspecified(), true
	case "<broadcast>":
		return netip.AddrFrom4([4]byte{255, 255, 255, 255}), true
	}
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return ip, false
	}
	var all uint32
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 32 - 8*i
		}
		n, ok := parseNumber(part, bits)
		if !ok {
			return ip, false
		}
		all |= n << (32 - 8*i - bits)
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, all))), true
}

// parseNumber reads a number of C without its sign, of so many bits.
func parseNumber(text string, bits int) (n uint32, ok bool) {
	base := 10
	switch lower := strings.ToLower(text); {
	case strings.HasPrefix(lower, "0x"):
		base, text = 16, text[2:]
	case len(text) > 1 && text[0] == '0':
		base, text = 8, text[1:]
	}
	parsed, err := strconv.ParseUint(text, base, bits)
	return uint32(parsed), err == nil
}
