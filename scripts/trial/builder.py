"""builder HOST:PORT COUNT STOP: a build that never ends

Asks a PR server for one new value after the other, each on a new connection, until the file STOP is there, and writes
to the file COUNT how many it has. Each has to be one more than the one before. Whatever else happens, a refused
connection for instance, ends it with exit code 1.
"""
import os
import sys
import xmlrpc.client

address, count, stop = sys.argv[1:]
first = last = None
while not os.path.exists(stop):
    with xmlrpc.client.ServerProxy("http://%s" % address) as server:
        value = server.getPR("builder-1.0-r0", "all", "%d" % ((last or 0) + 1 if first is not None else 0))
    if first is None:
        first = value
    elif value != last + 1:
        sys.exit("%d came after %d" % (value, last))
    last = value
    with open(count + ".part", "w") as f:
        f.write("%d" % (last - first + 1))
    os.rename(count + ".part", count)
print("%d values, from %d to %d" % (last - first + 1, first, last))
