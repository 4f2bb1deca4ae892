#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# LMRs, locks and barriers over RDMA: see selftests/module/lego_lmr and
# lego_lock.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../module.sh"

ip=$(attr p0 nodes/p0/addr)
params=(ip="${ip%:*}" at="$(attr m0 nodes/m0/addr)"
	gmgr="$(attr g0 nodes/g0/addr)")
keepers m0 s0
module_run p0 lego_lmr 66 other="$(attr s0 nodes/s0/addr)" "${params[@]}"
module_run p0 lego_lock 45 "${params[@]}"
tap_done
