// Package expat scans XML and stops where expat stops: at the same line and
// column, with the same words. It implements what Python's xmlrpc parsers get
// from expat 2.2.8 (Python 2.7) and 2.5.0 (Python 3.8), without name spaces and
// without DOCTYPE.
//
// Start with [Scan], which reads a document and tells a [Handler] of its
// elements and text. A document that is no XML ends in a [SyntaxError].
//
// encoding/xml will not do: its errors have other words and no columns, and it
// accepts and refuses other documents. The fuzz test lists the differences.
package expat
