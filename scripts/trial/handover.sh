# Part of try-bitbake: --start and --stop of the server tried and of the checkout's own, on one file.

say "== --start and --stop: a file goes to the PR server of this bitbake, and back"
# turn PROGRAM STOPPER WHAT: PROGRAM serves the file for two questions, and STOPPER stops it.
turns=0
turn() {
	start "$1" handover
	trial $host "$port" $turns <<-'EOF'
		from trial import *
		conn, turns = connect(*sys.argv[1:3]), int(sys.argv[3])
		check("a new checksum gets the next value", conn.getPR("handed-1.0-r0", "all", "turn%d" % turns), number(2 * turns))
		check("the first one gets the value behind it", conn.getPR("handed-1.0-r0", "all", "first"), number(2 * turns + 1))
	EOF
	program_of[$port]=$2
	stop "$port"
	ok "$3"
	turns=$((turns + 1))
}
turn "$program" "$original" "--stop of this bitbake ended the server tried"
turn "$original" "$program" "--stop of the server tried ended the one of this bitbake"
turn "$program" "$program" "--stop of the server tried ended it"
turn "$original" "$original" "--stop of this bitbake ended its own"
