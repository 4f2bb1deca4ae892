#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Components of separate kernels find each other, and their death is noticed.
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
start=$SECONDS
"$rack" kill m1
wait_until 10 is m1 dead
tap_ok $? "a dead mComponent is noticed"
[ $((SECONDS - start)) -le $((6 * slow)) ]
tap_ok $? "within 5 s"
tap_is "$(state m0)" up "and no other is thought dead"
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
