#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All modules are loaded, used and unloaded 500 times, or LOADS=: memory, slab
# caches and the kernel's address space are as they were.
. "$(dirname "$0")/../lib.sh"

: "${LOADS:=500}" "${STEP:=25}"

have_vnode test
in_both "$(lines 500)"
idle() { [ "$(on one cat /sys/module/pcomp/refcnt)" = 0 ]; }

# In the node, as each command from outside would take longer than what it does:
# load, use and unload $2 times; the modules are in $1.
# shellcheck disable=SC2016
cycle='
cfg=/sys/kernel/config/lego
unload() {
	for m in lego_load pcomp scomp mcomp gmgr lite_rpc; do
		for try in $(seq 300); do
			rmmod $m 2> /dev/null && continue 2
			# programs that ended give back what they had, soon
			[ -d /sys/module/$m ] || continue 2
			sleep 0.1
		done
		echo "cycle $i: $m does not unload"
		exit 1
	done
}
load() {
	local m=$1
	shift
	insmod $build/$m/$m.ko "$@" || { echo "cycle $i: $m"; exit 1; }
}
build=$1
want=$(sort /data/lines | md5sum)
for i in $(seq $2); do
	load lite_rpc
	load gmgr name=g0 addr=loop:g0
	load mcomp name=m0 addr=loop:m0 gmgr=loop:g0 mem_mb=16
	load scomp name=s0 addr=loop:s0 gmgr=loop:g0 dir=/srv/lego
	load pcomp name=p0 addr=loop:p0 gmgr=loop:g0 excache_mb=4
	load lego_load sink=loop:sink
	lego vnode create test > /dev/null || exit 1
	(echo loop:sink callers=8 ms=300 out=4096 > /sys/kernel/debug/lego/load/run) &
	got=$(lego run -n test -- sort /data/lines | md5sum)
	[ "$got" = "$want" ] || { echo "cycle $i: a wrong result"; exit 1; }
	for try in $(seq 300); do
		lego vnode rm test 2> /dev/null && break
		sleep 0.1 # the program is just ending
	done
	# traffic goes on till just before: the generator ends the moment it can
	unload
	wait
done'

# what there is to be lost: KiB of memory and of slab caches that cannot be
# reclaimed, active objects of all caches, areas of the kernel's address space
memory() {
	on_sh one 'echo 3 > /proc/sys/vm/drop_caches; sleep 1
		awk "/^(MemFree|Cached|Buffers|SReclaimable):/ { n += \$2 }
			/^ +count:/ { n += 4 * \$2 }
			END { printf \"%d \", n }" /proc/meminfo /proc/zoneinfo
		awk "/^SUnreclaim:/ { printf \"%d \", \$2 }" /proc/meminfo
		wc -l < /proc/vmallocinfo'
}

on_sh one 'dmesg -n 5; lego vnode rm test
	rmdir /sys/kernel/config/lego/mcomp/m1
	for m in pcomp scomp mcomp gmgr lite_rpc; do
		rmmod $m || exit
	done'
tap_ok $? "all that the rack has loaded unloads"

table=$(mktemp)
trap 'rm -f "$table"' EXIT
nr=0
while [ $nr -lt "$LOADS" ]; do
	out=$(ON_TIMEOUT=$((STEP * 30)) on_sh one "$cycle" \
		"$TOP/build/$KERNEL" "$STEP" 2>&1) || {
		tap_note "$out"
		break
	}
	nr=$((nr + STEP))
	echo "$nr $(memory)" >> "$table"
	tap_note "after $nr loads: $(tail -n 1 "$table" | awk '{
		printf "%d KiB free, %d KiB of slab, %d areas", $2, $3, $4 }')"
done
tap_is $nr "$LOADS" "all load, work and unload, each time"

# Beginning with the second measurement, a line through all that follow: how
# much is lost each time. A page would be 4 KiB, the smallest object 8 bytes.
slope() {
	awk -v c="$1" 'NR > 1 {
			n++; x += $1; y += $c; xx += $1 * $1; xy += $1 * $c
		}
		END {
			d = n * xx - x * x
			printf "%.3f", d ? (n * xy - x * y) / d : 0
		}' "$table"
}
less() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'
}
free=$(slope 2) slab=$(slope 3) areas=$(slope 4)
tap_note "each load: $free KiB free, $slab KiB of slab, $areas areas"
less -4 "$free"
tap_ok $? "no page is lost each time"
less "$slab" 1
tap_ok $? "the slab caches do not grow"
less "$areas" 0.02
tap_ok $? "the kernel's address space is given back"
kmemleak one
tap_done
