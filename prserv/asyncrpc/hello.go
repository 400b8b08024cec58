package asyncrpc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Errors of how a client begins.
var (
	// ErrHello is returned for a first line that does not name the service and
	// its version.
	ErrHello = errors.New("not the hello of this service")
	// ErrHeader is returned for a header line without a colon.
	ErrHeader = errors.New("a header without a colon")
)

// hello checks the first line of a client.
//
// Source: lib/bb/asyncrpc/serv.py:AsyncServerConnection.process_requests.
func hello(line []byte, protocol, version string) error {
	words := strings.FieldsFunc(string(line), isSpace)
	if len(words) != 2 || words[0] != protocol || !sameVersion(words[1], version) {
		return about(ErrHello, line)
	}
	return nil
}

// sameVersion tells whether a version has the numbers of another one.
func sameVersion(text, version string) bool {
	got, want := strings.Split(text, "."), strings.Split(version, ".")
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		number, ok := pythonInt(got[i])
		if !ok || strconv.Itoa(number) != want[i] {
			return false
		}
	}
	return true
}

// pythonInt reads a small number as Python's int() does: it may have a sign,
// zeros before it, an underscore between two digits, and digits of any script.
func pythonInt(text string) (int, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	if len(digits) > maxIntDigits {
		return 0, false
	}
	n, last := 0, '_'
	for _, r := range digits {
		if r != '_' {
			if !unicode.IsDigit(r) || n > 1<<20 {
				return 0, false
			}
			n = n*10 + digitValue(r)
		} else if last == '_' {
			return 0, false
		}
		last = r
	}
	if negative {
		n = -n
	}
	return n, last != '_'
}

// digitValue returns the value of a digit. Those of a script follow each other.
func digitValue(r rune) int {
	zero := r
	for zero > r-9 && unicode.IsDigit(zero-1) {
		zero--
	}
	return int(r - zero)
}

// header takes a header line apart. The name is in small letters.
func header(line []byte) (name, value string, err error) {
	name, value, ok := strings.Cut(string(line), ":")
	if !ok {
		return "", "", about(ErrHeader, line)
	}
	return strings.ToLower(name), strings.TrimFunc(value, isSpace), nil
}

// greeting is what a client sends first.
func greeting(protocol, version string, bare bool) string {
	if bare {
		return fmt.Sprintf("%s %s\n\n", protocol, version)
	}
	return fmt.Sprintf("%s %s\nneeds-headers: false\n\n", protocol, version)
}
