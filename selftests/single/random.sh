#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 500
# Programs whose operations are random, and what must come of them known. SEED=
# runs one again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../random.sh"

random_begin
tap_note "SEED=$SEED"
out=$(random_memory 20 "$SEED")
tap_is "$(grep -c 'exit status 0' <<< "$out")" 2 \
	"random programs of two vNodes find in their memory what they wrote"
tap_note "$out"
wait_until 40 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
out=$(random_files 10 "$SEED" "p0 p0")
tap_like "$out" 'exit status 0' \
	"two programs of a vNode find files to be as on a local file system"
tap_note "$out"
out=$(random_files 10 "$SEED" "p0 p0" p1)
tap_like "$out" 'exit status 0' \
	"so do two pComponents that open what the other one has closed"
tap_note "$out"
tap_done
