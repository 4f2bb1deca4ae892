#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Components of separate kernels find each other, and their death is noticed:
# its locks are free, too.
. "$(dirname "$0")/../lib.sh"

state() {
	attr g0 "gmgr/g0/members/$1/state"
}
is() {
	[ "$(state "$1")" = "$2" ]
}
for n in p0 m0 m1 s0; do
	tap_is "$(state $n)" up "$n has joined"
	tap_like "$(attr $n nodes/$n/transport)" rdma "$n speaks RDMA"
done
lock() { # NODE WORDS
	on_sh "$1" 'echo "$1" > /sys/kernel/debug/lego/lock/cmd' "$2"
}
for n in m1 p0; do
	ip=$(attr $n nodes/$n/addr)
	on $n insmod "$TOP/build/$KERNEL/lego_lock/lego_lock.ko" \
		ip="${ip%:*}" at="$(attr s0 nodes/s0/addr)" \
		gmgr="$(attr g0 nodes/g0/addr)"
done
lock m1 "hold 600000"
tap_ok $? "a node locks something at another"
start=$SECONDS
"$rack" kill m1
lock p0 "get 30000" &
get=$!
wait_until 10 is m1 dead
tap_ok $? "a dead mComponent is noticed"
[ $((SECONDS - start)) -le $((6 * slow)) ]
tap_ok $? "within 5 s"
tap_is "$(state m0)" up "and no other is thought dead"
wait $get
tap_ok $? "and the lock is another's"
took=$(on p0 awk '$1 == "waited_ms" { print $2 }' \
	/sys/kernel/debug/lego/lock/cmd)
[ "$took" -lt $((8000 * slow)) ]
tap_ok $? "within 8 s"
tap_note "after $took ms"
on p0 rmmod lego_lock
"$rack" start m1 > /dev/null 2>&1
tap_ok $? "it comes again"
wait_until 10 is m1 up
tap_ok $? "and is a member again"

"$rack" net m0 down
wait_until 10 is m0 dead
tap_ok $? "one whose network is gone is noticed, too"
"$rack" net m0 up
wait_until 30 is m0 up
tap_ok $? "and comes back with its network"
tap_done
