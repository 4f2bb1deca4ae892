#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# A sComponent that loses its power, or its network, and comes back: programs
# wait for it and go on.
. "$(dirname "$0")/../lib.sh"

work='echo on; sleep 3; find /usr/bin | sort; sort -r /etc/passwd
	python3 -c "print(sum(range(1000)))"'
have_vnode test
want=$(on_sh p0 "cd /; $work" | md5sum)
out=$(mktemp)
unsynced=$(mktemp)
trap 'rm -f "$out" "$unsynced"' EXIT
ON_TIMEOUT=200

# through NAME COMMAND...: the program runs while that happens
through() {
	local name=$1 run
	shift
	lrun sh -c "$work" > "$out" 2>&1 &
	run=$!
	wait_until 60 grep -q on "$out"
	"$@"
	wait $run
	tap_is $? 0 "$name: a program that needs its files waits for them"
	tap_is "$(md5sum < "$out")" "$want" "$name: and its result is right"
}

no_network() {
	"$rack" net s0 down
	sleep 6
	"$rack" net s0 up
}

power_cut() {
	"$rack" kill s0
	"$rack" start s0 > /dev/null 2>&1
	tap_ok $? "the sComponent starts again"
}

through "no network for 6 s" no_network

# What was written is in the memory of the sComponent's server, till fsync().
lrun python3 -c 'import errno, os, signal
def sync():
    try:
        os.fsync(fd)
        return "synced"
    except OSError as err:
        return errno.errorcode[err.errno]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
fd = os.open("/etc/debian_version", os.O_WRONLY)
said = []
for i in range(2):
    os.write(fd, b"x")
    os.close(os.dup(fd)) # now it is there
    said.append(sync() if not i else "written")
print("on", flush=True)
signal.sigwait([signal.SIGUSR1])
said += [sync(), sync()]
os.write(fd, b"x")
print(*said, sync())' > "$unsynced" 2>&1 &
writer=$!
wait_until 60 grep -q on "$unsynced"
through "a power cut" power_cut
on p0 pkill -USR1 -x python3
wait $writer
tap_is "$(tail -n 1 "$unsynced")" "synced written EIO synced synced" \
	"fsync() tells, once, that what was not synced before it is lost"
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
tap_done
