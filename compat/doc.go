// Package compat holds what exists only because the Python program did it so:
// the two dialects of its XML-RPC, their fault texts and error pages, its
// options, log lines and pid file. The tests here prove that our server
// answers as the recordings in testdata/golden do.
//
// Start with [DialectFor]. The reference's revision is named in package prserv.
package compat
