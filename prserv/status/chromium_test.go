package status_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser is a tab of a Chromium without a window, which is told what to do over
// a pair of pipes, by the DevTools protocol.
type browser struct {
	t       testing.TB
	to      io.Writer
	from    *bufio.Reader
	session string
	id      int
	origin  string // of all that may be asked for
	loaded  bool   // the page that was asked for
	wrong   []string
}

// openBrowser starts Chromium, or skips the test. It ends with the test.
func openBrowser(t testing.TB, origin string) *browser {
	t.Helper()
	if os.Getenv("PRSERV_LONG") == "" {
		t.Skip("starts a browser: only with PRSERV_LONG=1")
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium, of Debian's package of that name, is not here to load the pages")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	end := func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	tooLong := time.AfterFunc(20*time.Minute, end) // it hangs
	b := &browser{t: t, to: in, from: bufio.NewReader(out), origin: origin}
	t.Cleanup(func() {
		tooLong.Stop()
		in.Close()
		out.Close()
		end()
		cmd.Wait()
		if t.Failed() {
			t.Logf("chromium said:\n%s", said.String())
		}
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Log", "Runtime", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// message is what Chromium says: the answer to a call, or an event.
type message struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.id++
	if params == nil {
		params = struct{}{}
	}
	text, err := json.Marshal(struct {
		ID        int    `json:"id"`
		Method    string `json:"method"`
		Params    any    `json:"params"`
		SessionID string `json:"sessionId,omitempty"`
	}{b.id, method, params, b.session})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := b.hear()
		if m.ID != b.id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

// hear returns the next message, and notes what is wrong with a page.
func (b *browser) hear() (m message) {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("chromium has ended: %v", err)
	}
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		b.t.Fatal(err)
	}
	var p struct {
		Entry   struct{ Level, Text, URL string }
		Request struct{ URL string }
	}
	json.Unmarshal(m.Params, &p)
	switch m.Method {
	case "Page.loadEventFired":
		b.loaded = true
	case "Page.javascriptDialogOpening", "Runtime.exceptionThrown":
		b.wrong = append(b.wrong, m.Method)
	case "Log.entryAdded":
		if !strings.Contains(p.Entry.Text, "404 (Not Found)") || !strings.Contains(p.Entry.URL, "/package/") {
			b.wrong = append(b.wrong, p.Entry.Text+" "+p.Entry.URL)
		}
	case "Network.requestWillBeSent":
		if !strings.HasPrefix(p.Request.URL, b.origin) {
			b.wrong = append(b.wrong, "asks for "+p.Request.URL)
		}
	}
	return m
}

// load does what loads another page, waits for that, and checks it.
func (b *browser) load(what string, do func()) {
	b.t.Helper()
	b.loaded, b.wrong = false, nil
	do()
	for !b.loaded {
		b.hear()
	}
	if wide := b.eval(`document.documentElement.scrollWidth - innerWidth`); wide != 0.0 {
		b.t.Errorf("%s: %v pixels are beyond the right edge", what, wide)
	}
	for _, wrong := range b.wrong {
		b.t.Errorf("%s: %s", what, wrong)
	}
}

// visit loads a page of the server.
func (b *browser) visit(path string) {
	b.t.Helper()
	b.load(path, func() { b.call("Page.navigate", map[string]any{"url": b.origin + path}, nil) })
}

// eval returns what an expression is in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	return r.Result.Value
}

// click follows a link, or presses a button.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.load("after a click on "+selector, func() { b.eval(fmt.Sprintf("document.querySelector(%q).click()", selector)) })
}

// look sets how wide the window is, and whether the user likes it dark.
func (b *browser) look(width int, dark bool) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	scheme := map[bool]string{false: "light", true: "dark"}[dark]
	b.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]any{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// screenshot keeps a picture of the page, at most 3000 pixels of its height.
func (b *browser) screenshot(folder, name string) {
	b.t.Helper()
	var shot struct{ Data string }
	height := min(b.eval(`document.documentElement.scrollHeight`).(float64), 3000)
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "clip": map[string]any{
		"x": 0, "y": 0, "width": b.eval(`innerWidth`), "height": height, "scale": 1}}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	file := filepath.Join(folder, name+".png")
	if err := os.WriteFile(file, png, 0o666); err != nil {
		b.t.Fatal(err)
	}
	b.t.Logf("%s: %d bytes", file, len(png))
}
