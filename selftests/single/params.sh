#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# rack: spent
# Bad module parameters: insmod fails, says why, soon, and leaves nothing.
. "$(dirname "$0")/../lib.sh"

build=$(on_sh one 'echo "$1"' "$TOP/build/$KERNEL")

# bad MODULE NAME PARAMETER...
bad() {
	local module=$1 name=$2 out start=$SECONDS
	shift 2
	out=$(on_sh one 'dmesg -C; insmod "$@" 2>&1 && exit 1
		dmesg | grep -v taint; true' "$build/$module/$module.ko" "$@")
	tap_ok $? "$module: insmod with $name fails"
	# what modprobe makes of some errors would send a user astray
	! grep -E '^insmod: .*([Ss]ymbol|[Kk]ey)' <<< "$out"
	tap_ok $? "$module: and speaks of neither symbols nor keys"
	tap_like "$out" "($module|lite_rpc): " "$module: and the kernel log says why"
	[ $((SECONDS - start)) -le $((30 * slow)) ]
	tap_ok $? "$module: and soon"
}

# all_bad GMGR GMGR2: each component with one or the other, at once: they may
# wait for it; which one it is makes no difference to a component
all_bad() {
	local out start=$SECONDS module name gmgr
	# shellcheck disable=SC2016
	out=$(on_sh one 'dmesg -C
		bad() {
			insmod "$build/$1/$1.ko" name=$2 addr=loop:$2 \
				"gmgr=$4" $3 2> /dev/null || echo "failed: $1"
		}
		build=$1
		bad mcomp m0 mem_mb=16 "$2" &
		bad pcomp p0 excache_mb=16 "$3" &
		bad scomp s0 dir=/srv/lego "$2" &
		wait
		dmesg | grep -v taint' "$build" "$1" "$2")
	for module in mcomp pcomp scomp; do
		name=${module:0:1}0
		gmgr=$1
		[ $module = pcomp ] && gmgr=$2
		tap_like "$out" "^failed: $module" "$module: insmod with gmgr=$gmgr fails"
		tap_like "$out" "$module: |lite_rpc: $name: " \
			"$module: and the kernel log says why"
	done
	[ $((SECONDS - start)) -le $((30 * slow)) ]
	tap_ok $? "and all soon"
}

on_sh one 'rmdir /sys/kernel/config/lego/mcomp/m1
	for m in pcomp scomp mcomp; do rmmod $m || exit; done'
tap_ok $? "the components unload"
for mb in 0 -1 100000000; do
	bad mcomp "mem_mb=$mb" name=m0 addr=loop:m0 gmgr=loop:g0 mem_mb=$mb
	bad pcomp "excache_mb=$mb" name=p0 addr=loop:p0 gmgr=loop:g0 \
		excache_mb=$mb
done
all_bad '' 300.1.2.3
all_bad loop:nobody 10.77.0.99
all_bad 300.1.2.3 ''
bad scomp 'a dir= that does not exist' name=s0 addr=loop:s0 gmgr=loop:g0 \
	dir=/nonexistent
bad mcomp 'an addr= in use' name=m0 addr=loop:g0 gmgr=loop:g0 mem_mb=16
tap_check "all unload" on one sh -c 'rmmod gmgr && rmmod lite_rpc'
tap_done
