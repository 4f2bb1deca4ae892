#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# LMRs over RDMA: see selftests/module/lego_lmr.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../lmr.sh"

ip=$(attr p0 nodes/p0/addr)
lmr_run p0 "${ip%:*}" "$(attr m0 nodes/m0/addr)" "$(attr s0 nodes/s0/addr)" \
	"$(attr g0 nodes/g0/addr)"
tap_done
