#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 32 nodes in one kernel, all calling all, of which 28 come and go, for ten
# minutes, or MINUTES=: those that stay see no error.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"
. "$(dirname "$0")/../nodes.sh"

: "${MINUTES:=10}"
NODES_TIMEOUT=$((MINUTES * 60 + 300))
on one dmesg -n 5
nodes_good one "$MINUTES minutes" seed=1 nodes=32 stay=4 gap_ms=250 \
	ms=$((MINUTES * 60000)) timeout_ms=$((10000 * slow))
kmemleak one
tap_done
