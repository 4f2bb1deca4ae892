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

# The pComponent's own network: connections end, and there is no way, and then no
# device, by which new ones could be made. (rxe's own queue pair for connecting
# breaks by what it cannot send, so it needs a new device after that.)
lrun python3 -c 'import os
n = 0
def again():
    global n
    n += 1
    data = b"%07d" % n * 1000
    with open("/tmp/own", "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    with open("/tmp/own", "rb") as f:
        if f.read() != data or os.stat("/tmp/own").st_size != len(data):
            raise SystemExit("wrong %d" % n)
again()
print("on", flush=True)
while not os.path.exists("/tmp/stop"):
    again()
os.unlink("/tmp/own")
print("end", flush=True)' > "$out" 2>&1 &
writer=$!
wait_until 60 grep -q on "$out"
on_sh p0 'ip link set eth0 down
	fault=/sys/kernel/debug/lego/nodes/p0/fault/fail_qp
	echo 1 > $fault # as soon as something is sent
	sleep 2
	echo 0 > $fault
	rdma link delete rxe0
	ip link set eth0 up
	sleep 1
	rdma link add rxe0 type rxe netdev eth0'
p0_is_back() {
	quick p0 'dmesg | grep "p0: has an RDMA device" > /dev/null' &&
		[ "$(attr g0 gmgr/g0/members/p0/state)" = up ]
}
wait_until 30 p0_is_back
on_sh s0 ': > /srv/lego/tmp/stop'
wait $writer
tap_is "$? $(tail -n 1 "$out")" "0 end" \
	"a program whose pComponent has no network for 3 s goes on, and its files are right"
on_sh s0 'rm -f /srv/lego/tmp/stop'

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
