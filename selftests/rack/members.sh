#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Components of separate kernels find each other, and their death is noticed:
# its locks are free, too.
. "$(dirname "$0")/../lib.sh"

# cpus_of NODE: local APICs in its ACPI table of them, be they there or not
cpus_of() {
	on "$1" python3 -c '
d = open("/sys/firmware/acpi/tables/APIC", "rb").read()
i, nr = 44, 0
while i < len(d):
	nr += d[i] == 0
	i += d[i + 1]
print(nr)'
}
for n in p0 m0 m1 s0; do
	tap_is "$(attr g0 gmgr/g0/members/$n/state)" up "$n has joined"
	tap_like "$(attr $n nodes/$n/transport)" rdma "$n speaks RDMA"
	# or the emulator takes its barriers for useless: see tools/rack. What
	# the machine says: 6.12 itself does not count a CPU that is not there.
	[ "$(cpus_of $n)" -ge 2 ]
	tap_ok $? "$n could have a second CPU"
done
lock() { # NODE WORDS
	quick "$1" 'echo "$1" > /sys/kernel/debug/lego/lock/cmd' "$2"
}
keepers s0
for n in m1 p0; do
	ip=$(attr $n nodes/$n/addr)
	on $n insmod "$TOP/build/$KERNEL/lego_lock/lego_lock.ko" \
		ip="${ip%:*}" at="$(attr s0 nodes/s0/addr)" \
		gmgr="$(attr g0 nodes/g0/addr)"
done
lock m1 "hold 600000"
tap_ok $? "a node locks something at another"
"$rack" kill m1
start=$SECONDS
lock p0 "get 30000" &
get=$!
wait_until 10 member_is m1 dead
tap_ok $? "a dead mComponent is noticed"
[ $((SECONDS - start)) -le $((10 * slow)) ]
tap_ok $? "within 10 s"
no_conn() {
	! on g0 busybox grep -q "^in m1 " /sys/kernel/debug/lego/nodes/g0/links
}
wait_until 20 no_conn
tap_ok $? "and nothing is kept for a caller that lost its power"
tap_is "$(attr g0 gmgr/g0/members/m0/state)" up "and no other is thought dead"
wait $get
tap_ok $? "and the lock is another's"
took=$(on p0 awk '$1 == "waited_ms" { print $2 }' \
	/sys/kernel/debug/lego/lock/cmd)
[ "$took" -lt $((20000 * slow)) ]
tap_ok $? "within 20 s, as others ask the dead themselves before they believe it"
tap_note "after $took ms"
on p0 rmmod lego_lock
"$rack" start m1 > /dev/null 2>&1
tap_ok $? "it comes again"
wait_until 10 member_is m1 up
tap_ok $? "and is a member again"

# s0 is in use, so p0 has connections to it
have_vnode test
out=$(mktemp)
trap 'rm -f "$out"' EXIT
lrun sh -c 'echo on; sleep 100' > "$out" &
wait_until 60 grep -q on "$out"
on_sh p0 'cd /sys/kernel/tracing
	[ -e trace ] || mount -t tracefs none . || exit
	echo > trace; echo 1 > events/lite_rpc/lite_link_state/enable'
"$rack" net s0 down
wait_until 10 member_is s0 dead
tap_ok $? "one whose network is gone is noticed, too"
links_gone() {
	on p0 busybox grep -q "lite_link_state: p0 -> $1 .* to gone" \
		/sys/kernel/tracing/trace
}
addr=$(attr g0 gmgr/g0/members/s0/addr)
wait_until 20 links_gone "$addr"
tap_ok $? "nobody waits for it when it was asked long enough"
"$rack" net s0 up
wait_until 30 member_is s0 up
tap_ok $? "and comes back with its network"
tap_check "whoever had connections to it has them again" \
	lrun -p p0 sh -c 'ls / > /dev/null'
tap_like "$(on p0 grep "lite_link_state: p0 -> $addr " \
	/sys/kernel/tracing/trace)" 'gone to down' "it is no other peer"
on_sh p0 'echo 0 > /sys/kernel/tracing/events/lite_rpc/lite_link_state/enable
	pkill -x sleep; true'
wait
tap_done
