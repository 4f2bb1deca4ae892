#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# 64 callers over the loop transport, with each fault that lite_rpc can inject;
# and many nodes, which come and go.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"
. "$(dirname "$0")/../nodes.sh"

load_insmod one sink=loop:sink || exit
load_run one loop:sink callers=64 ms=1000 out=4096 timeout_ms=$((10000 * slow))
load_clean "no fault"
# replies that take their time, or each call were over before the next began
delay=/sys/kernel/debug/lego/nodes/sink/fault/delay_ms
quick one 'echo 20 > $1' $delay
many one loop:sink
quick one 'echo 0 > $1' $delay
waiting one loop:sink one
forgotten one sink
before=$(kib_free one)
faults one loop:sink one 500
forgotten one sink
given_back one "$before" "all"
load_rmmod one

# soak/nodes: the same for ten minutes
nodes_good one "32 nodes" nodes=32 stay=4 ms=5000 gap_ms=100 \
	timeout_ms=$((10000 * slow))
tap_done
