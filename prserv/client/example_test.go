package client_test

import (
	"context"
	"fmt"
	"log"

	"prserver/prserv/client"
)

// A build asks for the PR value of a package whose content has changed.
func ExampleClient_GetPR() {
	prs := client.New("prhost.example:8585", client.Timeout)
	value, err := prs.GetPR(context.Background(), "busybox-1.36.1-r0", "core2-64", "9e107d9d372bb6826bd81d3542a419d6")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("PR = \"r0.%d\"\n", value)
}
