#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# The rack's memory used up: ends the program that wants more, with the reason,
# and no other.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
in_both 'cat > grow.py << END
data = []
while True:
    data.append(bytearray(b"x" * 1000000))
END
cat > patient.py << END
import sys
data = [bytearray(b"%07d" % i) * 500 for i in range(2500)]
print("ready", flush=True)
sys.stdin.read()
print(all(d == b"%07d" % i * 500 for i, d in enumerate(data)))
END'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkfifo "$tmp/in"
"$rack" exec p0 -- lego run -n test -p small -- python3 /data/patient.py \
	< "$tmp/in" > "$tmp/out" 2>&1 &
pid=$!
exec 5> "$tmp/in"
wait_until 60 grep -q ready "$tmp/out"
tap_ok $? "a program that needs little is running"

ON_TIMEOUT=150
lrun -p small python3 /data/grow.py > "$tmp/grow" 2>&1
status=$?
[ $status != 0 ] && [ $status != 124 ]
tap_ok $? "a program that wants too much is ended (exit status $status)"
tap_like "$(cat "$tmp/grow")" '[Mm]emory' "and is told why"
tap_like "$(on p0 dmesg)" '[Mm]emory.*(used up|full|exhausted|out)|[Oo]ut of memory|no memory' \
	"the kernel log says why"
exec 5>&-
wait $pid
tap_is "$(cat "$tmp/out")" "ready
True" "the other one finishes with the right result"
wait_until 20 none_held
tap_is "$(held)" 0 "after both the mComponents hold nothing"
same "and a new program runs" sort /etc/passwd

# What fits: three pComponents' programs that fill one mComponent up to its
# reserve and 256 pages more, and write all again and again.
have_pcomp small2 4
mb=$(on_sh p0 'cd /sys/kernel/config/lego/mcomp && cat m1/mem_mb && rmdir m1')
on s0 cp "$TOP/build/tools/prog/refill" /srv/lego/tmp/refill
total=$(($(attr m0 mcomp/m0/total_bytes) / 4096))
pids=()
for p in p0 small small2; do
	pages=$((total / 3))
	[ $p = small2 ] && pages=$((total -
		$(attr m0 mcomp/m0/used_bytes) / 4096 - 512))
	ON_TIMEOUT=200 lrun -p $p /tmp/refill $pages 40 > "$tmp/$p" 2>&1 &
	pids+=($!)
	wait_until 90 grep -q . "$tmp/$p"
done
tap_is "$(cat "$tmp"/{p0,small,small2})" "ready
ready
ready" "programs that fill an mComponent run"
used=$(($(attr m0 mcomp/m0/used_bytes) / 4096))
for pid in "${pids[@]}"; do
	wait $pid
	tap_is $? 0 "a program that fits is not ended, and what it wrote is right"
done
tap_note "$used of $total frames were in use; $(grep -h rounds "$tmp"/p0 \
	"$tmp"/small* | tr '\n' ' ')"
tap_check "the mComponent that was taken away comes back" on_sh p0 '
	cd /sys/kernel/config/lego/mcomp && mkdir m1 && cd m1 &&
	echo loop:m1 > addr && echo loop:g0 > gmgr && echo "$1" > mem_mb &&
	echo 1 > enable' "$mb"
tap_done
