#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Locks and barriers over the loop transport: see selftests/module/lego_lock.
# Then a holder that nobody hears any more.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../module.sh"

params=(at="$(attr m0 nodes/m0/addr)" gmgr="$(attr g0 nodes/g0/addr)")
keepers one
module_run one lego_lock 45 "${params[@]}"

cmd() {
	quick one 'echo "$1" > /sys/kernel/debug/lego/lock/cmd' "$1"
}
says() {
	on one busybox awk -v k="$1" '$1 == k { print $2 }' \
		/sys/kernel/debug/lego/lock/cmd
}
mute() { # EVERY
	quick one 'echo "$1" > /sys/kernel/debug/lego/nodes/bob/fault/drop' "$1"
}
nobody() {
	[ "$(on one busybox cat /sys/kernel/debug/lego/nodes/m0/locks | wc -l)" = 1 ]
}
on one insmod "$TOP/build/$KERNEL/lego_lock/lego_lock.ko" "${params[@]}"
wait_until 20 nobody
tap_ok $? "what a node kept for others is gone with them"

# Shorter than what makes a member dead.
cmd "hold 1000"
tap_like "$(on one cat /sys/kernel/debug/lego/nodes/m0/locks)" \
	'^cmd lock .*bob [0-9]+ [0-9]+ 0$' "a lock that is held is seen"
expect_log 'gmgr .* does not answer'
mute 1
cmd "get 20000"
tap_is "$(says valid_then)" 0 \
	"one that is not heard knows that its lease is over before it is"
tap_is "$(says grows)" 1 "the next has a greater token"
mute 0
cmd put 2> /dev/null
[ $? != 0 ]
tap_ok $? "and is told at the latest when it unlocks"

cmd "hold 600000"
mute 1
cmd "get 60000"
took=$(says waited_ms)
[ "$took" -lt $((25000 * slow)) ]
tap_ok $? "the locks of one that is declared dead are free"
tap_note "after $took ms"
mute 0
cmd end 2> /dev/null
on one rmmod lego_lock
tap_ok $? "nothing of it is left"

# A keeper that is made anew knows nothing of what it gave.
on one insmod "$TOP/build/$KERNEL/lego_lock/lego_lock.ko" at=loop:m1 \
	gmgr="$(attr g0 nodes/g0/addr)"
cmd "hold 600000"
on_sh one 'cd /sys/kernel/config/lego/mcomp
	mb=$(cat m1/mem_mb)
	rmdir m1 || exit
	(echo "get 20000" > /sys/kernel/debug/lego/lock/cmd) & get=$!
	sleep 1
	mkdir m1 && cd m1 && echo loop:m1 > addr && echo loop:g0 > gmgr &&
		echo "$mb" > mem_mb && echo 1 > enable && wait $get'
tap_ok $? "who waits for a lock waits for its keeper, which is made anew"
cmd "get 5000"
tap_ok $? "the lock is free there"
tap_is "$(says valid_then)" 0 "and who had it knows that it is not certain"
tap_is "$(says grows)" 1 "the next has a greater token, all the same"
cmd put 2> /dev/null
[ $? != 0 ]
tap_ok $? "who had it is told at the latest when it unlocks"
cmd end 2> /dev/null
quick one 'echo N > /sys/module/lite_rpc/parameters/components_keep'
tap_like "$(cmd "get 5000" 2>&1)" 'Operation not permitted' \
	"a component that was not told to keep locks refuses them"
cmd end 2> /dev/null
on one rmmod lego_lock
tap_ok $? "nothing of that is left"
tap_done
