#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# A sComponent that loses its power, or its network, and comes back: programs
# wait for it and go on.
. "$(dirname "$0")/../lib.sh"

work='echo on; sleep 3; find /usr/bin | sort; sort -r /etc/passwd
	python3 -c "print(sum(range(1000)))"'
have_vnode test
want=$(on_sh p0 "cd /; $work" | md5sum)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
ON_TIMEOUT=200

# through NAME COMMAND...: the program runs while that happens
through() {
	local name=$1 run
	shift
	lrun sh -c "$work" > "$out" 2>&1 &
	run=$!
	wait_until 60 grep -q on "$out"
	"$@"
	wait $run
	tap_is $? 0 "$name: a program that needs its files waits for them"
	tap_is "$(md5sum < "$out")" "$want" "$name: and its result is right"
}

no_network() {
	"$rack" net s0 down
	sleep 6
	"$rack" net s0 up
}

power_cut() {
	"$rack" kill s0
	"$rack" start s0 > /dev/null 2>&1
	tap_ok $? "the sComponent starts again"
}

through "no network for 6 s" no_network
through "a power cut" power_cut
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
tap_done
