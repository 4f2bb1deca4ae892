# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Malformed messages from a generator on m1's node, for messages.sh of both
# groups and soak/malformed.sh. Sourced after lib.sh.

fuzz_dir=/sys/kernel/debug/lego/fuzz
fuzz_out=$(mktemp)
trap 'rm -f "$fuzz_out"' EXIT

# fuzz_begin: the generator, and a sComponent whose files nobody misses
fuzz_begin() {
	local scratch ip=

	keepers m0
	scratch=$(attr s0 nodes/s0/addr)
	case $scratch in
	loop:*) scratch=loop:scratch ;;
	*)
		scratch=${scratch%:*}:7495
		ip=$(attr m1 nodes/m1/addr)
		ip=${ip%:*}
		;;
	esac
	fuzz_targets="$(attr g0 nodes/g0/addr) $(attr m0 nodes/m0/addr) \
		$scratch $(attr p0 nodes/p0/addr)"
	on_sh s0 'mkdir -p /run/scratch &&
		mount -t tmpfs -o size=32m,nr_inodes=4096 tmpfs /run/scratch &&
		cd /sys/kernel/config/lego/scomp && mkdir scratch && cd scratch &&
		echo $1 > addr && cat /sys/kernel/lego/nodes/s0/gmgr > gmgr &&
		echo /run/scratch > dir && echo 1 > enable' "$scratch" &&
		on m1 insmod "$TOP/build/$KERNEL/lego_fuzz/lego_fuzz.ko" "ip=$ip"
}

# members that the generator made, which say nothing any more
fuzz_gone() {
	! on g0 lego status | grep -E '^fuzz[^ ]* +[a-z]+ +up'
}

# fuzz_end: all of it goes, and vNodes that were made by the way
fuzz_end() {
	on m1 rmmod lego_fuzz &&
		on_sh s0 'rmdir /sys/kernel/config/lego/scomp/scratch &&
			umount /run/scratch' &&
		wait_until 30 fuzz_gone &&
		on_sh g0 'lego vnode list | awk "NR > 1 { print \$1 }" |
			while read -r v; do
				[ $v = test ] || lego vnode rm $v || exit
			done'
}

# fuzz_run WORDS...: the result is in $fuzz_out
fuzz_run() {
	ON_TIMEOUT=${FUZZ_TIMEOUT:-60} quick m1 'cd "$1" && shift &&
		echo "$*" > run && cat result' $fuzz_dir "$@" > "$fuzz_out" 2>&1
}

# fuzz_is KEY: that number of the last run
fuzz_is() {
	sed -n "s/.*\"$1\": \([0-9][0-9]*\).*/\1/p" "$fuzz_out"
}

# fuzz_good COUNT: all were sent, each call ended once, and no memory was
# written to that was not lent
fuzz_good() {
	[ "$(fuzz_is sent) $(fuzz_is lost) $(fuzz_is twice)" = "$1 0 0" ] &&
		[ "$(fuzz_is stray_bytes)" = 0 ]
}
