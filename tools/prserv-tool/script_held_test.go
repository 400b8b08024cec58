package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"

	"prserver/prserv/place"
)

// heldRows is how many rows are done when a program is held, if it counts them.
const heldRows = 10_000

// heldMain is main for a program that a script interrupts, kills or lets wait
// in the middle of its work. The first argument names that work, as a progress
// bar does. In its middle the program makes a file "held", and goes on when
// that is removed or the program is interrupted.
func heldMain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := newProgram(os.Stdin, os.Stdout, os.Stderr)
	var once sync.Once
	p.work.(*place.Work).Progress = func(now place.Progress) {
		if now.What == os.Args[1] && (now.Rows >= heldRows || now.Part < 0) {
			once.Do(func() { hold(ctx) })
		}
	}
	os.Exit(p.run(ctx, os.Args[2:]))
}

func hold(ctx context.Context) {
	if err := os.WriteFile("held", nil, 0o644); err != nil {
		panic(err)
	}
	for ctx.Err() == nil {
		if _, err := os.Stat("held"); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
