#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# Programs over RDMA between kernels: right results, also when packets are
# lost, and when gmgr dies in mid-run.
. "$(dirname "$0")/../lib.sh"

in_both "$(lines 20000)"
have_vnode test
same "sort" sort /data/lines
same "python3" python3 -c 'print(sum(hash(float(l.split()[1])) for l in open("/data/lines")))'
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"

"$rack" net m0 loss 1
"$rack" net p0 loss 1
same "sort, with one packet in a hundred lost" sort -r /data/lines
"$rack" net m0 loss 0
"$rack" net p0 loss 0

out=$(mktemp)
trap 'rm -f "$out"' EXIT
on_sh p0 'lego run -n test -p p0 -- sh -c "echo on; sort /data/lines; sleep 5;
	sort -r /data/lines"' > "$out" &
wait_until 60 grep -q on "$out"
"$rack" kill g0
wait $!
tap_is $? 0 "a program survives gmgr's death"
want=$(on_sh p0 'echo on; sort /data/lines; sort -r /data/lines' | md5sum)
tap_is "$(md5sum < "$out")" "$want" "and its result is right"
"$rack" start g0
tap_ok $? "gmgr comes again"
tap_done
