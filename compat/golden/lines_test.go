package golden

import (
	"bytes"
	"strings"
	"testing"
)

// TestLines: the lines of a JSON-lines session stand for these bytes, and what is read is written again as it was.
func TestLines(t *testing.T) {
	const head = "! json-lines\n\n# about\n"
	for _, c := range []struct{ text, request, reply string }{
		{"> PRSERVICE 1.0\n>\n> {\"ping\": 1}\n< {\"alive\": true}\n", "PRSERVICE 1.0\n\n{\"ping\": 1}\n", "{\"alive\": true}\n"},
		{"> \"a\\r\\n\"\n> b\n> \"c\"\n< \"\"\n", "a\r\nb\nc", ""},
		{"> \"\"\n< \"\\\"\\\"\\n\"\n<\n< \"a \\n\"\n< \"\\xff\\n\"\n< \"a\"\n", "", "\"\"\n\na \n\xff\na"},
		{"> {\"ping\": \n> \"ab\" * 3\n> \"c\" * 0\n< é\n", "{\"ping\": \nababab", "é\n"},
		{"> > a\n< < b\n", "> a\n", "< b\n"},
	} {
		session, err := parse([]byte(head + c.text))
		if err != nil {
			t.Errorf("parse(%q): %v", c.text, err)
			continue
		}
		exchange := session.Exchanges[0]
		if string(exchange.Request) != c.request || string(exchange.Reply) != c.reply || exchange.Reply == nil || !exchange.HalfClose {
			t.Errorf("parse(%q) = %q, %q, half-close %v, want %q, %q, half-close",
				c.text, exchange.Request, exchange.Reply, exchange.HalfClose, c.request, c.reply)
		}
		if got := string(format(session)); got != head+c.text {
			t.Errorf("format(parse(%q)) = %q", head+c.text, got)
		}
	}
}

func TestAbridge(t *testing.T) {
	const hash = "af9e22b03f3214de04ed580949bfa6d9070a06ee14d64bb818256ec9115fe26d" // of 8,000 times a and a b
	short := strings.Repeat("a", 8000)
	long := short + "b"
	for reply, want := range map[string]string{
		"":                     "",
		"a\n\nb":               "a\n\nb",
		short + "\n" + short:   short + "\n" + short,
		"a\n" + long + "\nb\n": "a\n*8001 bytes, sha256 " + hash + "\nb\n",
		long:                   "*8001 bytes, sha256 " + hash,
	} {
		got := Abridge([]byte(reply))
		if string(got) != want || got == nil {
			t.Errorf("Abridge(%.20q) = %.200q, want %.200q", reply, got, want)
		}
		if again := Abridge(got); !bytes.Equal(again, got) {
			t.Errorf("Abridge(%.20q) twice = %.200q", reply, again)
		}
	}
}
