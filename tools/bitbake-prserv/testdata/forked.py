"""Shares one client object among forked processes, as BitBake's parsers do.

    forked.py HOST:PORT

Each process asks for a key of its own, whose value is known, and checks every
answer. Prints what was wrong and exits with 1 if anything was.
"""
import os
import sys

try:
    import xmlrpc.client as xmlrpclib
except ImportError:
    import xmlrpclib

PROCESSES = 8
CALLS = 50


def work(server, number):
    wrong = 0
    for _ in range(CALLS):
        try:
            value = server.getPR("pkg%d-1.0-r0" % number, "all", "checksum")
        except Exception as e:
            value = e
        if value != 100 + number:
            wrong += 1
            sys.stderr.write("process %d: got %r, want %d\n" % (number, value, 100 + number))
    return 1 if wrong else 0


def main():
    server = xmlrpclib.ServerProxy("http://%s/" % sys.argv[1], allow_none=True)
    for number in range(PROCESSES):
        server.importone("pkg%d-1.0-r0" % number, "all", "checksum", 100 + number)
    # The client is used before it is shared: had the server left its
    # connection open, every process would have it now.
    server.ping()
    go_on, go = os.pipe()
    children = []
    for number in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            status = 2
            try:
                os.close(go)
                os.read(go_on, 1)  # returns once the parent has closed it: all at once
                status = work(server, number)
                sys.stderr.flush()
            finally:
                os._exit(status)
        children.append(pid)
    os.close(go)
    return max(os.waitpid(pid, 0)[1] for pid in children) and 1


sys.exit(main())
