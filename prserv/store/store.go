// Package store says what a store of PR values is.
package store

// Filter says which rows an export has: those of one version, pkgarch or
// checksum. Nil is every one.
type Filter struct{ Version, Pkgarch, Checksum *string }
