#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
# Programs over RDMA between kernels: right results, also when packets are
# lost, and when gmgr dies in mid-run. What a gmgr that is started again knows.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=300 # a program waits for all that follows

expect_log 'gmgr .* does not answer'
in_both "$(lines 20000)"
have_vnode test
on g0 lego vnode create kept --quota 64M --root /tmp
on g0 lego vnode create gone
have_pcomp small 4
same "sort" sort /data/lines
same "python3" python3 -c 'print(sum(hash(float(l.split()[1])) for l in open("/data/lines")))'
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"

"$rack" net m0 loss 1
"$rack" net p0 loss 1
same "sort, with one packet in a hundred lost" sort -r /data/lines
"$rack" net m0 loss 0
"$rack" net p0 loss 0

# name, vid, root, storage, quota of each
vnodes() {
	quick g0 'cd /sys/kernel/config/lego/gmgr/vnodes && for v in *; do
		echo $v $(cat $v/vid $v/root $v/storage $v/quota)
	done'
}
vnodes_are_back() {
	[ "$(vnodes)" = "$vnodes" ]
}

out=$(mktemp)
trap 'rm -f "$out" "$out.held"' EXIT
on_sh p0 'lego run -n test -p p0 -- sh -c "echo on; sort /data/lines;
	while ! [ -e /tmp/go ]; do sleep 1; done; sort -r /data/lines"' \
	> "$out" &
runs=$!
wait_until 60 grep -q on "$out"
away() { # EVERY: such messages of a pComponent are lost, all for 1
	quick p0 'echo "$1" > /sys/kernel/debug/lego/nodes/small/fault/drop' "$1"
}
away 1 # it does not hear what follows
removed() {
	on p0 lego vnode rm -p p0 gone ||
		! on g0 lego vnode list | grep -q '^gone '
}
wait_until 20 removed
tap_ok $? "a vNode is removed while a member is away"
on p0 lego vnode create -p p0 late --quota 1M --root /tmp > /dev/null
tap_ok $? "one is made, and gmgr dies"
vnodes=$(vnodes)
"$rack" kill g0
"$rack" start g0
tap_ok $? "gmgr is started again"
wait_until 20 vnodes_are_back
tap_is "$(vnodes)" "$vnodes" \
	"it has the vNodes with their vids, roots and quotas again"
away 0
wait_until 20 member_is small up
tap_ok $? "the member joins it"
sleep 2 # it has told what it knows
tap_is "$(vnodes)" "$vnodes" \
	"a vNode that was removed while it was away does not come back"

lrun python3 -c 'import time
data = bytearray(b"x" * (40 << 20))
print("on", flush=True)
time.sleep(1000)' > "$out.held" &
wait_until 100 grep -q on "$out.held"
[ "$(held)" -gt 0 ]
tap_ok $? "another program has memory at mComponents"
"$rack" kill g0
on_sh s0 ': > /srv/lego/tmp/go'
wait $runs
tap_is $? 0 "a program survives gmgr's death, its restart, and its next death"
want=$(on_sh p0 'echo on; sort /data/lines; sort -r /data/lines' | md5sum)
tap_is "$(md5sum < "$out")" "$want" "and its result is right"
"$rack" kill p0 # nobody is there to notice
"$rack" start g0
wait_until 20 vnodes_are_back
tap_is "$(vnodes)" "$vnodes" "gmgr has the vNodes again, once more"
on g0 lego vnode create new
vid=$(on g0 cat /sys/kernel/config/lego/gmgr/vnodes/new/vid)
[ "$vid" -gt 4 ]
tap_ok $? "a vid is not given again"
tap_note "vid $vid"
wait_until 20 member_is p0 dead
tap_ok $? "a pComponent that died meanwhile is dead"
wait_until 20 none_held
tap_is "$(held)" 0 "and its programs' memory is free"
"$rack" start p0
wait_until 20 member_is p0 up
tap_is "$(lrun sh -c 'echo works')" works "it starts again, and programs run"
on_sh g0 'for v in kept late new; do lego vnode rm $v || exit; done'
on_sh s0 'rm -f /srv/lego/tmp/go'
tap_done
