# Sourced by try-packages: the .deb in a Debian 13 that boots in a folder.

debian=$work/debian
mkdir "$debian"
# In memory, since dpkg syncs every file.
mount -t tmpfs -o size=2g,mode=755 prserv-packages "$debian"
unmount_debian() { umount "$debian"; }
clean_up+=(unmount_debian)
check "a Debian 13 is there" debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps trixie "$debian" ${mirror:+"$mirror"}

# A cgroup of version 2, also on a machine that has both: systemd 256 and later want that.
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$debian" --boot --private-network \
	--machine=prserv-packages-$$ --register=no --keep-unit --console=pipe </dev/null >"$work/console" 2>&1 &
nspawn=$!
leader=
shut_down() {
	[ -z "$leader" ] || kill -s RTMIN+4 "$leader" 2>/dev/null || true # systemd's signal for poweroff
	within 120 not kill -0 $nspawn 2>/dev/null || kill -KILL $nspawn
	wait $nspawn 2>/dev/null || true
	rm -rf "/run/systemd/nspawn/propagate/prserv-packages-$$"
}
clean_up+=(shut_down)

# inside COMMAND... runs a command in the Debian.
inside() { nsenter --target "$leader" --all -- env -C / -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
has_booted() {
	leader=$(cut -d' ' -f1 "/proc/$nspawn/task/$nspawn/children") || fail "systemd-nspawn has ended: $(tail -n 3 "$work/console")"
	[ -n "$leader" ] && [[ $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}
check "it boots" within 600 has_booted
has_booted

mkdir "$debian/packages"
cp "$deb" "$debian/packages/one.deb"
# The next version is the same one with another number and another unit, so that systemd has something to read again.
dpkg-deb -R "$deb" "$work/next"
sed -i 's/^Version: .*/&.1/' "$work/next/DEBIAN/control"
echo '# the next version' >>"$work/next/usr/lib/systemd/system/bitbake-prserv.service"
(cd "$work/next" && find usr -type f -print0 | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb --root-owner-group -Zgzip --build "$work/next" "$debian/packages/two.deb" >/dev/null

units=(bitbake-prserv.socket bitbake-prserv.service)
service_pid() { inside systemctl show --value -p MainPID bitbake-prserv.service; }
is_refused() { not inside bitbake-prserv --check >/dev/null 2>&1; }
# state COMMAND prints what systemctl says of both units, in one line.
state() { inside systemctl "$1" "${units[@]}" 2>/dev/null | tr '\n' ' '; echo; }

check "the package is installed" inside dpkg -i /packages/one.deb
check "its files are those of its sums" inside dpkg --verify bitbake-prserv
says "nothing is enabled by itself" 'disabled disabled ' state is-enabled
check "nothing listens" is_refused
check "systemd-analyze finds nothing wrong with the units" inside systemd-analyze verify --man=no \
	/usr/lib/systemd/system/bitbake-prserv.socket /usr/lib/systemd/system/bitbake-prserv.service

# An old file is put in its place before the first start, as the README says.
inside sh -c 'echo "PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum));
INSERT INTO \"PRMAIN_nohist\" VALUES('\''builder-1.0-r0'\'','\''all'\'','\''old'\'',41);
COMMIT;" >/old.sql'
check "an old file is put in its place" inside sh -c \
	'prserv-tool copy /old.sql /old.sqlite3 && install -Dm 644 /old.sqlite3 /var/lib/private/bitbake-prserv/prserv.sqlite3'
inside sed -i 's/^#PRSERV_STATUS/PRSERV_STATUS/' /etc/default/bitbake-prserv
check "it is enabled and started" inside systemctl enable --now "${units[@]}"
says "both units are active" 'active active ' state is-active
check "it answers" inside bitbake-prserv --check
says "/etc/default is read: the status says it is ready" '127.0.0.1:8586 is ready' inside bitbake-prserv --check --status 8586
check "it does not run as root" not inside test -O "/proc/$(service_pid)"
check "bash takes the completion" inside bash -n /usr/share/bash-completion/completions/prserv-tool

nsenter --target "$leader" --net python3 "$trials/builder.py" 127.0.0.1:8585 "$work/count" "$work/stop" >"$work/built" 2>&1 &
builder=$!
stop_builder() { touch "$work/stop"; within 60 not kill -0 $builder 2>/dev/null || kill -KILL $builder; }
clean_up+=(stop_builder)
# built N tells whether the builder has that many values.
built() {
	kill -0 $builder 2>/dev/null || fail "the builder has ended: $(cat "$work/built")"
	[ "$(cat "$work/count" 2>/dev/null || echo 0)" -ge "$1" ]
}
check "a build asks for values" within 300 built 50
before=$(service_pid)
socket=$(inside systemctl show --value -p InvocationID bitbake-prserv.socket)
check "the package is upgraded meanwhile" inside dpkg -i /packages/two.deb
check "another server runs after that" test "$before" != "$(service_pid)"
check "the socket is the same" test "$socket" = "$(inside systemctl show --value -p InvocationID bitbake-prserv.socket)"
check "systemd has read the new unit" test no = "$(inside systemctl show --value -p NeedDaemonReload bitbake-prserv.service)"
check "the build goes on" within 300 built $(($(cat "$work/count") + 50))
touch "$work/stop"
check "no connection of the build was refused" wait $builder
says "its numbers went on by one, from the old file's: $(cat "$work/built")" '[0-9]+ values, from 42 to [0-9]+' cat "$work/built"
check "the changed /etc/default has stayed" inside grep -qx PRSERV_STATUS=8586 /etc/default/bitbake-prserv

check "the package is removed" inside dpkg -r bitbake-prserv
check "nothing listens any more" not nsenter --target "$leader" --net bash -c 'exec 4<>/dev/tcp/127.0.0.1/8585'
says "its settings have stayed" 'PRSERV_STATUS=8586' inside grep -x PRSERV_STATUS=8586 /etc/default/bitbake-prserv
check "it is installed again" inside dpkg -i /packages/two.deb
says "it is enabled as before" 'enabled enabled ' state is-enabled
check "it is removed again" inside dpkg -r bitbake-prserv
says "it is purged, and says that the values stay" 'The PR values stay in /var/lib/private/bitbake-prserv; .*' inside dpkg -P bitbake-prserv
says "nothing of it has stayed but the values" '' inside find /etc /usr /run -name '*prserv*'
check "the values are there" test -s "$debian/var/lib/private/bitbake-prserv/prserv.sqlite3"
check "there is no user of its" not inside grep -q prserv /etc/passwd /etc/group
