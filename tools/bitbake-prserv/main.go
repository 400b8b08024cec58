// Command bitbake-prserv is the PR server: it does what BitBake's program of
// the same name does.
package main

import (
	"context"
	"os"

	_ "prserver/tools/internal/addressspace"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdout, os.Stderr))
}
