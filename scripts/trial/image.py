"""image: what an engine does with an image, for try-packages

image unpack IMAGE FOLDER            checks every sum of the image, and unpacks it to FOLDER
image bundle FOLDER BUNDLE NETWORK DATA [NAME=VALUE...]
                                     writes BUNDLE/config.json, by which runc runs it: as its user, with a root that
                                     is read-only, in that network namespace, with DATA as its /data
"""
import gzip
import hashlib
import json
import os
import sys
import tarfile


def blob(folder, described):
    """Returns a blob of the image, after a look at its size and sum."""
    kind, _, digest = described["digest"].partition(":")
    with open(os.path.join(folder, "image", "blobs", kind, digest), "rb") as f:
        data = f.read()
    if len(data) != described["size"] or hashlib.new(kind, data).hexdigest() != digest:
        sys.exit("the blob %s is not what the image says" % digest)
    return data


def load(folder, name):
    with open(os.path.join(folder, "image", name)) as f:
        return json.load(f)


def unpack(image, folder):
    with tarfile.open(image) as tar:
        tar.extractall(os.path.join(folder, "image"))
    if load(folder, "oci-layout") != {"imageLayoutVersion": "1.0.0"}:
        sys.exit("the layout is unknown")
    [described] = load(folder, "index.json")["manifests"]
    manifest = json.loads(blob(folder, described))
    config = json.loads(blob(folder, manifest["config"]))
    [layer] = manifest["layers"]
    packed = blob(folder, layer)
    if config["rootfs"]["diff_ids"] != ["sha256:" + hashlib.sha256(gzip.decompress(packed)).hexdigest()]:
        sys.exit("the layer's sum is not what the configuration says")
    [old] = load(folder, "manifest.json")
    if (old["Config"], old["Layers"]) != tuple(
            f(d["digest"].replace("sha256:", "blobs/sha256/")) for f, d in ((str, manifest["config"]), (lambda s: [s], layer))):
        sys.exit("docker before 25 would load something else")
    with tarfile.open(os.path.join(folder, "image", "blobs", *layer["digest"].split(":"))) as tar:
        tar.extractall(os.path.join(folder, "rootfs"), numeric_owner=True)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config["config"], f)


def bundle(folder, where, network, data, *environment):
    with open(os.path.join(folder, "config.json")) as f:
        image = json.load(f)
    uid, gid = map(int, image["User"].split(":"))
    [volume] = image["Volumes"]
    names = {e.partition("=")[0] for e in environment}
    kept = [e for e in image["Env"] if e.partition("=")[0] not in names]
    nothing = {kind: [] for kind in ("bounding", "effective", "permitted", "ambient")}
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": uid, "gid": gid}, "args": image["Entrypoint"], "env": kept + list(environment),
            "cwd": image["WorkingDir"], "capabilities": nothing, "noNewPrivileges": True,
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        },
        "root": {"path": os.path.abspath(os.path.join(folder, "rootfs")), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {"destination": volume, "type": "bind", "source": os.path.abspath(data), "options": ["bind", "rw"]},
        ],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"},
                                 {"type": "network", "path": network}]},
    }
    with open(os.path.join(where, "config.json"), "w") as f:
        json.dump(config, f)


{"unpack": unpack, "bundle": bundle}[sys.argv[1]](*sys.argv[2:])
