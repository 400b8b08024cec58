# Sourced by try-packages: the container image, run by runc as scripts/deploy/kubernetes.yaml has it: three servers,
# two of which share a network and a volume there. Here all three share the network.

box=$work/box
mkdir "$box"
check "every sum of the image is right" python3 "$trials/image.py" unpack "$image" "$box"
check "there is no shell in it" find "$box/rootfs" -name '*sh' -type f -perm /111 -exec false {} +
loads_libraries() { readelf -lW "$box"/rootfs/usr/bin/* | grep -q INTERP; }
check "its programs need no library" not loads_libraries
says "/data belongs to its user" 65532:65532 stat -c %u:%g "$box/rootfs/data"

network=prserv-packages-$$
ip netns add $network
remove_network() { ip netns del $network; }
clean_up+=(remove_network)
ip -n $network link set lo up

# In memory, so that a full one can be made.
mkdir "$box/ci" "$box/developers"
for volume in ci developers; do
	mount -t tmpfs -o size=64m,mode=755,uid=65532,gid=65532 prserv-packages "$box/$volume"
done
unmount_volumes() { umount "$box/ci" "$box/developers"; }
clean_up+=(unmount_volumes)

runc=(runc --root "$work/runc")
declare -A container # the processes of runc, by name
stop_containers() {
	local name
	for name in "${!container[@]}"; do "${runc[@]}" delete --force "$name" 2>/dev/null || true; done
	wait "${container[@]}" 2>/dev/null || true
}
clean_up+=(stop_containers)

# start NAME VOLUME [VARIABLE=VALUE...] starts a container.
start() {
	mkdir -p "$box/$1"
	python3 "$trials/image.py" bundle "$box" "$box/$1" "/run/netns/$network" "$box/$2" "${@:3}"
	"${runc[@]}" run --bundle "$box/$1" "$1-$$" </dev/null >"$box/$1.log" 2>&1 &
	container[$1-$$]=$!
}
# in_box NAME ARGUMENT... runs a program in a container, as its user.
in_box() { "${runc[@]}" exec "$1-$$" "${@:2}"; }
check_in() { in_box "$1" /usr/bin/bitbake-prserv --check; }
is_healthy() { check_in "$1" >/dev/null 2>&1; }

start writer ci PRSERV_STATUS=0.0.0.0:8586
check "the writer is healthy" within 300 is_healthy writer
start read-only ci PRSERV_READ_ONLY=yes PRSERV_PORT=8587 PRSERV_STATUS=0.0.0.0:8589
start followers developers PRSERV_UPSTREAM=127.0.0.1:8587 PORT=8588 PRSERV_STATUS=8590 LOGLEVEL=debug
check "the read-only server is healthy" within 300 is_healthy read-only
check "the server that follows is healthy" within 300 is_healthy followers
says "--check says so in a line" '0.0.0.0:8586 is ready' check_in writer

first_process() { "${runc[@]}" state "$1-$$" | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])'; }
pid=$(first_process writer)
says "it runs as 65532, and may do nothing as root" 'Uid:65532 Gid:65532 CapBnd:0000000000000000 ' \
	awk '/^(Uid|Gid|CapBnd):/ { printf "%s%s ", $1, $2 }' "/proc/$pid/status"
check "its root is read-only" grep -q ' / ro[, ]' "/proc/$pid/mountinfo"

ask() { ip netns exec $network python3 "$trials/ask.py" "$@"; }
says "the writer gives 0" 0 ask 8585 getPR aaaa
says "and 1" 1 ask 8585 getPR bbbb
says "the read-only server knows it" 1 ask 8587 getPR bbbb
says "what it does not know it computes" 2 ask 8587 getPR cccc
says "and does not store" 2 ask 8585 getPR dddd
says "the server that follows has the values of the CI" 1 ask 8588 get-pr bbbb
says "and puts its own behind them" 2.0 ask 8588 get-pr eeee
says "prserv-tool is there" '127.0.0.1:8585 answers' in_box writer /usr/bin/prserv-tool ping 127.0.0.1:8585
says "it makes a backup in the volume" '.*3 rows.*' in_box writer /usr/bin/prserv-tool copy 127.0.0.1:8585 /data/backup.sql
says "the history knows who got a value" '.*getPR.*pkg-1.0-r0.*' in_box writer /usr/bin/prserv-tool history /data/prserv.sqlite3

mv "$box/ci/prserv.sqlite3" "$box/ci/away"
says "without its file the writer is not ready, and says why" '0.0.0.0:8586 is not ready: .*removed or replaced.*' check_in writer
check "the exit code says so as well" not is_healthy writer
mv "$box/ci/away" "$box/ci/prserv.sqlite3"
check "it is ready again" is_healthy writer

for name in followers read-only writer; do
	"${runc[@]}" kill "$name-$$" TERM
	check "SIGTERM ends the $name container with exit code 0" wait "${container[$name-$$]}"
done
check "the database is one file again" not test -e "$box/ci/prserv.sqlite3-wal"
