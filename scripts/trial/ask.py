"""ask PORT getPR|get-pr CHECKSUM asks the server on 127.0.0.1 for a value: as BitBake up to 1.50, or from 2.10 on"""
import json
import socket
import sys
import xmlrpc.client

port, method, checksum = sys.argv[1:]
if method == "getPR":
    print(xmlrpc.client.ServerProxy("http://127.0.0.1:" + port).getPR("pkg-1.0-r0", "all", checksum))
else:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as server:
        call = {"get-pr": {"version": "pkg-1.0-r0", "pkgarch": "all", "checksum": checksum, "history": False}}
        server.sendall(b"PRSERVICE 1.0\n\n" + json.dumps(call).encode() + b"\n")
        print(json.loads(server.makefile().readline())["value"])
