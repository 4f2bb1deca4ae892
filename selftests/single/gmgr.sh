#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# What members hear of gmgr. One dies while gmgr is away, which then comes again
# and knows neither: what it had is freed all the same. One leaves that had so
# much that to end it takes long: nobody else is taken for dead for that. One
# says what cannot be.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../module.sh"

expect_log 'gmgr .* does not answer|a member tells is not believed'
build=$TOP/build/$KERNEL
keepers one
carol() { # LMRS [PARAMETER]: carol comes, and has so many at m0
	on one insmod "$build/lego_lmr/lego_lmr.ko" \
		at="$(attr m0 nodes/m0/addr)" other="$(attr m1 nodes/m1/addr)" \
		gmgr="$(attr g0 nodes/g0/addr)" ${2-} &&
		quick one 'echo "$1" > /sys/kernel/debug/lego/lmr/own' "$1"
}
has() {
	quick one 'grep -c "^carols-" /sys/kernel/debug/lego/nodes/m0/lmrs; true'
}
freed() { [ "$(has)" = 0 ]; }
joined() {
	local n
	for n in p0 m0 m1 s0; do
		[ "$(attr g0 "gmgr/g0/members/$n/state")" = up ] || return
	done
}

# gmgr keeps them; before carol, whom it would ask whether processes run in them
on_sh one 'for v in $(lego vnode list | sed 1d | cut -d " " -f 1); do
		lego vnode rm $v || exit
	done'
tap_ok $? "there is no vNode"
nr=400
carol $nr
tap_is "$(has)" $nr "a node joins, and owns memory at another"
on_sh one 'dmesg -C; rmmod lego_lmr'
tap_ok $? "it leaves"
wait_until 60 freed
tap_is "$(has)" 0 "what it had is freed"
tap_is "$(on one dmesg | grep ' is dead: ')" "" \
	"nobody is taken for dead while that is done"

# one leaves while it reads the news of another, which takes its time
slow_gmgr() { # MS
	quick one 'echo "$1" > /sys/kernel/debug/lego/nodes/g0/fault/delay_ms' "$1"
}
for _ in 1 2; do
	carol 1
	on_sh one 'cd /sys/kernel/config/lego/mcomp && mb=$(cat m1/mem_mb) &&
		rmdir m1 && mkdir m1 && cd m1 && echo loop:m1 > addr &&
		echo loop:g0 > gmgr && echo "$mb" > mem_mb && echo 1 > enable'
	slow_gmgr 2000
	sleep 1
	on one rmmod lego_lmr
	left=$?
	slow_gmgr 0
	[ $left = 0 ] || break
done
tap_is $left 0 "a node leaves while it asks gmgr"

carol 1
tap_is "$(has)" 1 "a node comes again"
on one rmmod gmgr
tap_ok $? "gmgr ends"
on one rmmod lego_lmr
tap_ok $? "then the node, which can tell nobody"
on one insmod "$build/gmgr/gmgr.ko" name=g0 addr=loop:g0
tap_check "gmgr comes again, and has all others as members" wait_until 20 joined
tap_is "$(has)" 1 "nobody can say at once that the owner is dead"
wait_until 40 freed
tap_is "$(has)" 0 "its memory is freed"
have_vnode test
tap_like "$(lrun sh -c 'echo works')" '^works$' "and programs run"

# p0's heartbeat is lost, so it does not hear of anything for 2 s
quick one 'echo rr > /sys/kernel/lego/gmgr/g0/placement'
ran=$(on_sh one 'drop=/sys/kernel/debug/lego/nodes/p0/fault/drop
	echo 1 > $drop; sleep 0.6
	cd /sys/kernel/config/lego/mcomp && mkdir m2 && cd m2 &&
		echo loop:m2 > addr && echo loop:g0 > gmgr && echo 16 > mem_mb &&
		echo 1 > enable
	echo 0 > $drop
	for i in 1 2 3; do
		lego run -n test -p p0 -- echo ran &
	done
	wait' 2>&1)
tap_is "$ran" "$(printf 'ran\nran\nran')" \
	"programs run at once where an mComponent has just joined"
quick one 'echo free > /sys/kernel/lego/gmgr/g0/placement'
m2_is_free() { [ "$(attr one mcomp/m2/spaces)" = 0 ]; }
wait_until 20 m2_is_free
on one rmdir /sys/kernel/config/lego/mcomp/m2
tap_ok $? "it leaves when they have ended"

# removed by hand, which asks nobody
vids=$(on_sh one 'cd /sys/kernel/config/lego/gmgr/vnodes &&
	lego vnode create held > /dev/null && cat */vid &&
	lego run -n held -p p0 -- sh -c "echo runs; sleep 600" > /tmp/held &
	until grep -qs runs /tmp/held; do sleep 0.2; done
	rmdir /sys/kernel/config/lego/gmgr/vnodes/held')
carol 1 max_vid=2147483647
on one rmmod lego_lmr
vids+=$'\n'$(on_sh one 'for i in 1 2 3 4; do
		lego vnode create v$i > /dev/null &&
			cat /sys/kernel/config/lego/gmgr/vnodes/v$i/vid
	done')
tap_is "$(sort -un <<< "$vids" | awk '$1 > 0 && $1 <= 2147483647' | wc -l)" 6 \
	"when a member knows the highest vid, vNodes get those that nobody has"
tap_note "$vids"
on_sh one 'pkill -x sleep; for i in 1 2 3 4; do lego vnode rm v$i; done'

# gmgr learns of a vNode, and another member tells of none, in another age
carol 1 "version=$(($(date +%s) + 60))000 tells=kept"
on one rmmod lego_lmr
carol 1 version=$((1 << 59))
tap_ok $? "a member tells what it says is newer than all there is"
on one rmmod lego_lmr
tap_like "$(on one lego vnode list)" '^kept ' "gmgr does not believe it"
on one lego vnode rm kept
tap_done
