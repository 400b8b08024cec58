# Part of try-bitbake: servers that follow another, as BitBake 2.10 and later define it.

# followed WHO: the trial recipe gets what a server says that follows the server tried.
followed() {
	ask one three four three
	trial $host "$main" "$1" <<-'EOF'
		from trial import *
		pr, source = trial_values()
		check(sys.argv[3] + ": what is known above gets its value, what is new .0, .1, .2 behind it, AUTOINC as above",
		      read("build/asked").split("\n")[:-1],
		      ["1.0+git%d+0123456789 %s" % (source, v) for v in [pr + 3] + ["%d.%d" % (pr + 3, n) for n in range(3)]])
		check("the server above has no new value", connect(*sys.argv[1:3]).max_package_pr("prtrial-1.0+git-r0", "i586"), str(pr + 3))
	EOF
}

say "== PRSERV_HOST = localhost:0 and PRSERV_UPSTREAM: bitbake's own server follows the server tried"
printf 'PRSERV_HOST = "localhost:0"\nPRSERV_UPSTREAM = "%s"\n' "$host:$main" >"$build/conf/auto.conf"
followed "localhost:0"

say "== --upstream: servers that follow the server tried"
for below in "$program" "$original"; do
	start "$below" "below$port" --upstream "$host:$main"
	ask_at "$at"
	followed "$(basename "$(dirname "$below")")/$(basename "$below")"
	stop "$port"
done

say "== --upstream: the server tried follows that of this bitbake"
start "$original" above
above=$port
start "$program" below --upstream "$at"
trial $host "$above" "$port" <<'EOF'
from trial import *
above, below = connect(*sys.argv[1:3]), connect(sys.argv[1], sys.argv[3])
asked = [(above, "a"), (below, "a"), (below, "b"), (below, "c"), (above, "d"), (below, "e"), (below, "d"), (below, "e"), (above, "a")]
check("the values of a, of b and c that only the lower has, of d, and of e, which comes after it",
      [server.getPR("followed-1.0-r0", "all", checksum) for server, checksum in asked],
      ["0", "0", "0.0", "0.1", "1", "1.0", "1", "1.1", "2"])
EOF
stop "$port"
stop "$above"
ask_at "$host:$main"
