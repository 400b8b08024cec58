# Part of try-bitbake: servers that follow another, as BitBake 2.10 and later define it.

# followed BELOW CHANGE...: the trial recipe asks a server that follows the server tried. The first change is known there.
followed() {
	local below=$1
	shift
	ask "$@"
	trial $host "$main" "$below" <<-'EOF'
		from trial import *
		pr, source = trial_values()
		got = read("build/asked").split("\n")[:-1]
		want = ["1.0+git%d+0123456789 %s" % (source, v) for v in [pr + 3] + ["%d.%d" % (pr + 3, n) for n in range(3)]]
		check("%s: what is known above has its value, the %d others .0, .1, ... behind it, AUTOINC as above"
		      % (sys.argv[3], len(got) - 1), got, want[:len(got)])
		check("the server above has no new value", connect(*sys.argv[1:3]).max_package_pr("prtrial-1.0+git-r0", "i586"), str(pr + 3))
	EOF
}

say "== PRSERV_HOST = localhost:0 and PRSERV_UPSTREAM: bitbake's own server follows the server tried"
# A package that goes back to what it was may get a lower value from the original, which takes 1 for greater than 1.1.
printf 'PRSERV_HOST = "localhost:0"\nPRSERV_UPSTREAM = "%s"\n' "$host:$main" >"$build/conf/auto.conf"
followed localhost:0 one three four

say "== --upstream: a server of the program tried follows another"
start "$program" below --upstream "$host:$main"
ask_at "$at"
if [ $tried = original ]; then
	followed --upstream one three four
else
	followed --upstream one three four three
fi
stop "$port"
ask_at "$host:$main"

# follows BELOW ABOVE NAME BEHIND TEXT: one program's server follows another's. BEHIND is what it answers where it has
# given 1.0 and the checksum is new to it, but has 1 above: the original goes back to 1.
follows() {
	say "== --upstream: $5"
	start "$2" "above-$3"
	local above=$port
	start "$1" "below-$3" --upstream "$at"
	trial $host "$above" "$port" "$4" <<-'EOF'
		from trial import *
		host, above, below, behind = sys.argv[1:]
		above, below = connect(host, above), connect(host, below)
		check("a, then b and c below: .0 and .1 behind a; d above, then e below: .0 behind d; d below; a above again",
		      [server.getPR("followed-1.0-r0", "all", checksum) for server, checksum in
		       [(above, "a"), (below, "a"), (below, "b"), (below, "c"), (above, "d"), (below, "e"), (below, "d"), (above, "a")]],
		      ["0", "0", "0.0", "0.1", "1", "1.0", behind, "2"])
		above.close()
		below.close()
	EOF
	stop "$port"
	stop "$above"
}
behind=1.1
[ $tried != original ] || behind=1
follows "$program" "$original" ours $behind "the server tried follows that of this bitbake"
follows "$original" "$program" theirs 1 "the server of this bitbake follows the one tried"
