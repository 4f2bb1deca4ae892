#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# LMRs over the loop transport: see selftests/module/lego_lmr. Their memory is
# given back, and is no more than a node gives.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../module.sh"
. "$(dirname "$0")/../stress.sh"

params=(at="$(attr m0 nodes/m0/addr)" other="$(attr m1 nodes/m1/addr)"
	gmgr="$(attr g0 nodes/g0/addr)")
keepers one
expect_log 'list of members does not end|dave: no gmgr at loop:endless'
module_run one lego_lmr 72 "${params[@]}"

most() { # MiB
	quick one 'echo "$1" > /sys/module/lite_rpc/parameters/lmr_mb' "$1"
}
use() { # 16 MiB are made, written, freed
	on one cat /sys/kernel/debug/lego/lmr/bw 2>&1
}
on one insmod "$TOP/build/$KERNEL/lego_lmr/lego_lmr.ko" "${params[@]}"
use > /dev/null
before=$(kib_free one)
most 40
for i in 1 2 3 4; do
	tap_like "$(use)" '^[0-9]+$' "there is room for it each time ($i)"
done
most 30
tap_like "$(use)" 'Cannot allocate memory' \
	"an owner that wants more than half of what there may be is refused"
most 0
quick one 'echo N > /sys/module/lite_rpc/parameters/components_keep'
tap_like "$(use)" 'Operation not permitted' \
	"a component that was not told to keep LMRs refuses them"
given_back one "$before" "LMRs'"
on one rmmod lego_lmr
tap_ok $? "the module unloads"
tap_done
