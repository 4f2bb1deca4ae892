#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rack check-logs: a splat in a node's kernel log fails whatever is running.
. "$(dirname "$0")/../lib.sh"

tag=planted-$$
plant() {
	on_sh p0 'echo "<4>BUG: $1" > /dev/kmsg' "$tag" 2>&1
}
seen() {
	"$rack" logs p0 | grep -q "$tag"
}

# rack exec itself looks, but the line may still be on its way
plant > /dev/null
wait_until 10 seen
tap_ok $? "rack logs shows the kernel's log"
out=$("$rack" exec p0 -- true 2>&1)
tap_is $? 99 "exec fails after a splat"
tap_like "$out" "one: .*|$tag" "and tells the node and the line"
"$rack" check-logs 2> /dev/null
tap_is $? 99 "check-logs fails after a splat"
expect_log "$tag"
"$rack" check-logs
tap_ok $? "a line that the test expects passes"
tap_done
