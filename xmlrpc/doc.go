// Package xmlrpc serves XML-RPC over HTTP with the same bytes as Python's
// SimpleXMLRPCServer: it accepts the same calls, and has the same faults, order
// of struct members and form of replies.
//
// It does not know what a method means. Start with [Handler], which answers the
// requests of one connection, [Decode], which reads a [Call] from the body of a
// request, and [Encode], which writes the reply. A [Dialect] holds the
// differences between Python 2 and Python 3; package compat has both. Package
// expat scans the XML.
//
// We do not use net/http, because PR clients see statuses and bodies that
// net/http chooses before any handler runs: a bad Content-Length is status 500
// here and 400 there, and a reason phrase is free text here and fixed there.
// Clients also expect HTTP/1.0 answers on connections that close, and newer
// ones speak another protocol on the same port.
//
// It mirrors xmlrpclib.py, SimpleXMLRPCServer.py and BaseHTTPServer.py of Python
// 2.7, and xmlrpc/client.py, xmlrpc/server.py and http/server.py of Python 3.8.
package xmlrpc
