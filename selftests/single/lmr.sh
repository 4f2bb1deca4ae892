#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# LMRs over the loop transport: see selftests/module/lego_lmr.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../lmr.sh"

lmr_run one "" "$(attr m0 nodes/m0/addr)" "$(attr m1 nodes/m1/addr)" \
	"$(attr g0 nodes/g0/addr)"
tap_done
