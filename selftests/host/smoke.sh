#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# kernels: 6.1 6.12
# The other stock kernel: build, load, run a program, unload.
. "$(dirname "$0")/../lib.sh"

[ "$KERNEL" = 6.1 ] && other=6.12 || other=6.1
export LEGO_RACK=smoke-$$
trap '"$rack" down' EXIT
tap_check "the modules build on $other" make -C "$TOP" modules KERNEL="$other"
"$rack" up --single --kernel "$other" --excache 8
tap_ok $? "a rack of Linux $other comes up"
have_vnode test
in_both "$(lines 5000)"
same "a program's result is right" sort /data/lines
wait_until 20 none_held
tap_is "$(held)" 0 "nothing is held after it"
tap_check "all unload" on_sh one 'lego vnode rm test
	rmdir /sys/kernel/config/lego/mcomp/m1
	for m in pcomp scomp mcomp gmgr lite_rpc; do rmmod $m || exit; done'
tap_check "the kernel log is clean" "$rack" check-logs
tap_done
