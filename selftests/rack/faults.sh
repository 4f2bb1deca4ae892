#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# 64 callers over RDMA, with each fault that lite_rpc can inject.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"

from=$(attr p0 nodes/p0/addr)
to=$(attr m1 nodes/m1/addr)
to=${to%:*}:7491
load_insmod m1 addr=loop:load sink="$to" &&
	load_insmod p0 addr="${from%:*}:7490" || exit
load_run p0 "$to" callers=64 ms=1000 out=4096 timeout_ms=$((10000 * slow))
load_clean "no fault"
wait_until 10 no_conns m1 sink
tap_ok $? "after it the peer has forgotten the caller"
before=$(kib_free p0)
before_m1=$(kib_free m1)
faults p0 "$to" m1
wait_until 10 no_conns m1 sink
tap_ok $? "after all that the peer has forgotten the caller"
lost="$((before - $(kib_free p0))) $((before_m1 - $(kib_free m1)))"
tap_note "memory lost at caller and peer: $lost KiB"
[ "${lost% *}" -lt $((4096 * slow)) ] && [ "${lost#* }" -lt $((4096 * slow)) ]
tap_ok $? "all memory is given back"
tap_check "the generators unload" eval "on p0 rmmod lego_load &&
	on m1 rmmod lego_load"
tap_done
