package main

import (
	"bufio"
	"strings"
	"testing"
)

// TestWriteLine compares requests with what BitBake's client sends.
func TestWriteLine(t *testing.T) {
	for _, test := range []struct {
		generation int
		want       string
	}{
		{2, `{"get-pr": {"version": "bench-package-17-1.0-r0", "pkgarch": "core2-64", "checksum": "abc"}}` + "\n"},
		{3, `{"get-pr": {"version": "bench-package-17-1.0-r0", "pkgarch": "core2-64", "checksum": "abc", "history": false}}` + "\n"},
	} {
		c := &caller{load: load{Generation: test.generation}}
		c.writeLine(1, "first", true)
		c.writeLine(17, "abc", true) // writes over what was there
		if got := c.request.String(); got != hello+test.want {
			t.Errorf("generation %d: the first message is %q", test.generation, got)
		}
		c.writeLine(17, "abc", false)
		if got := c.request.String(); got != test.want {
			t.Errorf("generation %d: the second message is %q", test.generation, got)
		}
	}
}

func TestReadLine(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		generation   int
		err          string // empty if there is none
	}{
		{"number", nothing2, 2, ""},
		{"text", nothing3, 3, ""},
		{"text with dots", "{\"value\": \"3.1.0\"}\n", 3, ""},
		{"text for a number", nothing3, 2, `no value of generation 2 in the answer "{\"value\": \"0\"}"`},
		{"number for a text", nothing2, 3, `no value of generation 3 in the answer "{\"value\": 0}"`},
		{"null as the value", "{\"value\": null}\n", 2, `no value of generation 2 in the answer "{\"value\": null}"`},
		{"null", "null\n", 3, `no value of generation 3 in the answer "null"`},
		{"nothing behind the name", "{\"value\": \n", 3, `no value of generation 3 in the answer "{\"value\":"`},
		{"words", "{\"invoke-error\": {\"message\": \"the disk is full\"}}\n", 3, `the server answered the error "the disk is full"`},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n", 2, `no value of generation 2 in the answer "HTTP/1.1 400 Bad Request"`},
		{"nothing", "", 2, "no answer: EOF"},
		{"cut", "{\"value\": ", 2, "half an answer: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &caller{reader: bufio.NewReader(strings.NewReader(test.answer)), load: load{Generation: test.generation}}
			got := ""
			if err := c.readLine(); err != nil {
				got = err.Error()
			}
			if got != test.err {
				t.Errorf("error %q, want %q", got, test.err)
			}
		})
	}
}

func TestGenerationOf(t *testing.T) {
	for version, want := range map[string]int{
		"bitbake 1.16.0": 1, "bitbake 1.50.0": 1, "bitbake 1.52.0": 2, "bitbake 2.0.0": 2, "bitbake 2.8.1": 2,
		"bitbake 2.10.0": 3, "bitbake 2.18.0": 3, "bitbake 3.0": 3, "an unknown bitbake": 1,
	} {
		if got := generationOf(version); got != want {
			t.Errorf("%s: %d, want %d", version, got, want)
		}
	}
}
