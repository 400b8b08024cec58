// Package xmlrpc reads and writes the bytes of XML-RPC over HTTP as Python's
// own SimpleXMLRPCServer does: the tolerances of its parser, the words of its
// faults, the order of its struct members and the shape of its replies.
//
// It knows nothing of what a method means. Start with [Handler], which answers
// the requests of one connection, [Decode], which turns a request body into a
// [Call], and [Encode], its way back. Where Python 2 and Python 3 differ, a
// [Dialect] says how; package compat has both.
//
// The HTTP side is not net/http: the clients of a PR server compare statuses
// and bodies that net/http decides on its own before any handler runs (an
// unreadable Content-Length is 500 here and 400 there, a reason phrase is
// free text here and fixed there), they expect HTTP/1.0 answers on connections
// that close, and the same port has to speak another protocol to newer ones.
//
// Mirrored sources: Python's xmlrpclib.py, SimpleXMLRPCServer.py and
// BaseHTTPServer.py of 2.7 with expat 2.2.8, and xmlrpc/client.py,
// xmlrpc/server.py and http/server.py of 3.8 with expat 2.5.0.
package xmlrpc
