// Package asyncrpc speaks the protocol of BitBake 1.52 and later, as a server and
// as a client: a line that names a service and its version, header lines, an
// empty line, and then messages in JSON, one a line. A long message is sent in
// several lines, as a chunk-stream.
//
// It does not know what a message means. Start with [Handler], which answers the
// messages of one connection, [Dial], which asks a server, and [Object].
//
// It mirrors lib/bb/asyncrpc of BitBake 2.8 and later and Python's json module,
// whose numbers, texts and errors are not those of encoding/json: NaN is a
// number, half a surrogate pair is a text, and the last of equal names counts
// in its exact spelling.
package asyncrpc
