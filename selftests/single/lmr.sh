#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# LMRs over the loop transport: see selftests/module/lego_lmr.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../module.sh"

module_run one lego_lmr 51 at="$(attr m0 nodes/m0/addr)" \
	other="$(attr m1 nodes/m1/addr)" gmgr="$(attr g0 nodes/g0/addr)"
tap_done
