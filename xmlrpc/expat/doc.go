// Package expat scans XML as expat does: it accepts the same documents, and
// reports the same error at the same line and column for all others. It
// implements what Python's XML-RPC modules use of expat 2.2.8 (Python 2.7) and
// 2.5.0 (Python 3.8). It has no name spaces and refuses a DOCTYPE.
//
// Start with [Scan], which reads a document, and [Handler], which receives its
// tags and text. A document that is not well-formed ends in a [SyntaxError].
//
// encoding/xml cannot replace it: its errors have no columns and other
// messages, and it accepts and refuses other documents. The fuzz test lists the
// differences.
package expat
