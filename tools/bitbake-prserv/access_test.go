package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// asks calls a method of XML-RPC as a client at an address of this machine:
//
//	asks FROM METHOD [TEXT...]
//
// The server is the script's. It prints the value, or the words of the fault.
func asks() {
	var body strings.Builder
	body.WriteString("<methodCall><methodName>" + os.Args[2] + "</methodName><params>")
	for _, text := range os.Args[3:] {
		body.WriteString("<param><value>" + text + "</value></param>")
	}
	body.WriteString("</params></methodCall>")
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(os.Args[1])}}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", addr)
	}}}
	answer, err := client.Post("http://"+net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")), "text/xml", strings.NewReader(body.String()))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	text, err := io.ReadAll(answer.Body)
	found := regexp.MustCompile(`<value><(?:(nil)/|\w+>([^<]*))`).FindAllSubmatch(text, -1)
	if err != nil || len(found) == 0 {
		fmt.Printf("%v: %q\n", err, text)
		os.Exit(1)
	}
	last := found[len(found)-1]
	fmt.Printf("%s%s\n", last[1], last[2])
}
