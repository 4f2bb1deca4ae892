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
one_late p0 "$to"
load_run p0 "$to" calls=1 timeout_ms=$((10000 * slow))
forgotten m1 sink
before=$(kib_free p0)
before_m1=$(kib_free m1)
faults p0 "$to" m1 500

# A device that takes no more work: of a connection that is up, and of one that
# is just made. By the second that is posted then the generator's memory is
# registered.
for at in "p0 load" "m1 sink"; do
	read -r node who <<< "$at"
	fault "$node" "$who" fail_post 23
	load_run p0 "$to" callers=64 ms=$((500 * slow)) out=65536 \
		timeout_ms=$((500 * slow)) slack_ms=$slack
	load_good "work refused by the device of $who"
	[ "$(load_is ok)" -lt "$(load_is calls)" ]
	tap_ok $? "work refused by the device of $who: calls fail by it"
	fault "$node" "$who" fail_post 0
done
fault p0 load fail_post 2
load_run p0 "$to" calls=1 callers=1 out=4096 timeout_ms=$((3000 * slow))
tap_is "$(load_is calls) $(load_is ok) $(load_is late)" "1 0 0" \
	"no connection is made while the caller's device registers nothing"
fault p0 load fail_post 0
load_run p0 "$to" calls=1 callers=1 out=4096 timeout_ms=$((10000 * slow))
load_clean "a device that works again"

# A connection whose peer is silent for a while; one whose device lives alone.
beat p0 200 30 # longer than the second, and what it takes to begin and end it
load_run p0 "$to" calls=1 hold=1 timeout_ms=$((10000 * slow))
before_resets=$(load_link p0 "$to" resets)
"$rack" net m1 down
(sleep 1; "$rack" net m1 up) &
load_run p0 "$to" calls=1 hold=1 timeout_ms=$((10000 * slow))
wait
load_clean "the link down for a second"
[ "$(load_link p0 "$to" stalls)" -gt 0 ]
tap_ok $? "it was stalled"
tap_is "$(load_link p0 "$to" state) $(load_link p0 "$to" resets)" \
	"up $before_resets" "and is up again, the same connection"
beat p0 200 5
fault m1 sink drop 1
load_run p0 "$to" calls=1 hold=1 timeout_ms=60000
tap_like "$(cat "$load_out")" '"errors": \{ *"104": 1' \
	"a peer of which only the device answers is lost long before the time-out"
tap_is "$(load_link p0 "$to" state)" reconnecting "its connection is, too"
fault m1 sink drop 0
beat p0 1000 5
load_run p0 "$to" calls=1 timeout_ms=$((10000 * slow))
load_clean "a peer that answers again"

forgotten m1 sink
given_back p0 "$before" "the caller's"
given_back m1 "$before_m1" "the peer's"
load_rmmod p0 m1
tap_done
