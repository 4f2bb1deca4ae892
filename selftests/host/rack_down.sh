#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# kernels: 6.1
# rack down, and an interrupt, leave no process, device or namespace behind.
. "$(dirname "$0")/../lib.sh"

export LEGO_RACK=self-$$
trap '"$rack" down' EXIT

left() {
	pgrep -f "lego-$LEGO_RACK-"
	[ ! -e "/run/netns/lego-$LEGO_RACK" ] || echo namespace
	[ ! -e "/run/lego-rack/$LEGO_RACK" ] || echo state
	ip -o link | grep -c "$LEGO_RACK" | grep -v '^0$'
}

"$rack" up --single --no-modules
tap_ok $? "a rack boots"
tap_is "$(pgrep -fc "lego-$LEGO_RACK-one")" 1 "it is one process"
"$rack" up --single --no-modules 2> /dev/null
tap_is $? 255 "a second one of the same name is refused"
tap_is "$(on one echo alive)" alive "and does not disturb the first"
"$rack" kill one
out=$(on one true 2>&1)
tap_is $? 255 "a killed node's exec fails"
tap_like "$out" 'one: no answer|one: the node died' "and says why"
"$rack" start one
tap_is "$(on one echo again)" again "a killed node starts again"
"$rack" down
tap_is "$(left)" "" "down leaves nothing"

setsid "$rack" up --no-modules > /dev/null 2>&1 &
pid=$!
running() { pgrep -f "lego-$LEGO_RACK-s0"; }
wait_until 20 running
tap_ok $? "another one begins to boot"
kill -INT -- -$pid
wait $pid
tap_is $? 130 "an interrupt ends it"
tap_is "$(left)" "" "and leaves nothing"
tap_done
