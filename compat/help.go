package compat

import (
	"fmt"
	"strings"
)

const (
	usageLine   = "Usage: bitbake-prserv < --start | --stop > [options]\n"
	versionLine = "Bitbake PR Service Core version 1.0.0, bitbake-prserv version 1.0.0\n"
	helpColumn  = 24 // in which the help of an option starts
)

// VersionText returns what --version prints.
func VersionText() string { return versionLine }

// ErrorText returns what the program prints for a usage error.
func ErrorText(e *UsageError) string {
	return usageLine + "\nbitbake-prserv: error: " + e.Text + "\n"
}

// HelpText returns what --help prints: the reference's text, and below it a group
// with the options that the reference does not have.
func HelpText() string {
	var b strings.Builder
	b.WriteString(usageLine + "\nOptions:\n")
	for _, opt := range options {
		if !opt.ours {
			writeOption(&b, opt, "  ")
		}
	}
	b.WriteString("\n  Options that the Python program does not have:\n")
	for _, opt := range options {
		if opt.ours {
			writeOption(&b, opt, "    ")
		}
	}
	return b.String()
}

func writeOption(b *strings.Builder, opt option, indent string) {
	left := indent
	if opt.short != "" {
		left += opt.short
		if opt.meta != "" {
			left += " " + opt.meta
		}
		left += ", "
	}
	left += opt.long
	if opt.meta != "" {
		left += "=" + opt.meta
	}
	if len(left) > helpColumn-2 {
		b.WriteString(left + "\n")
		left = ""
	}
	for _, line := range opt.help {
		fmt.Fprintf(b, "%-*s%s\n", helpColumn, left, line)
		left = ""
	}
}
