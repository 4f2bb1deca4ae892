#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random programs and random operations on files for an hour each, or MINUTES=,
# with a new seed every five minutes, beginning with SEED=.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../random.sh"

: "${MINUTES:=60}"
# a file system that is mounted, a process that is killed: a line each
on one dmesg -n 5

# rounds MINUTES NAME COMMAND...: COMMAND SECONDS SEED till it finds something
rounds() {
	local n=$((($1 + 4) / 5)) name=$2 part i out
	part=$(($1 * 60 / n))
	shift 2
	for ((i = 0; i < n; i++)); do
		out=$("$1" $part $((SEED + i * 16)) "${@:2}")
		tap_note "$out"
		grep -q 'exit status 0' <<< "$out" || break
		! grep -q 'exit status [^0]' <<< "$out" || break
		"$rack" check-logs || break
	done
	tap_is $i $n "$name"
}

random_begin
rounds "$MINUTES" "random programs find in their memory what they wrote" random_memory
wait_until 40 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
rounds $(((MINUTES + 1) / 2)) \
	"two programs of a vNode find files to be as on a local file system" \
	random_files "p0 p0"
rounds $(((MINUTES + 1) / 2)) \
	"so do two pComponents that open what the other one has closed" \
	random_files "p0 p0" p1
kmemleak one
tap_done
