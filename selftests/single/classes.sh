#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 180
# Classes of traffic: each has a connection of its own, when it is used.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"

load_insmod one sink=loop:sink || exit
quick="timeout_ms=$((10000 * slow))"

# link CLASS: the generator's to the sink, as debugfs shows it
link() {
	on_sh one 'grep "^out loop:sink $1 " \
		/sys/kernel/debug/lego/nodes/load/links' "$1"
}

class=0
for name in control demand prefetch writeback; do
	load_run one loop:sink calls=10 class=$class hold=1 $quick
	tap_is "$(load_is ok)" 10 "calls of class $name end well"
	tap_like "$(link $name)" "^out loop:sink $name loop up 10 " \
		"they have a connection of their own"
	[ $class = 0 ] && tap_is "$(link prefetch)" "" \
		"a class that is not used has none"
	class=$((class + 1))
done
load_run one loop:sink calls=1 class=4 $quick
tap_like "$(cat "$load_out")" 'out of range' "there is no fifth class"
tap_check "the generator unloads" on one rmmod lego_load
tap_done
