# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Nodes by the dozen in one kernel, which all call all while some come and go:
# for single/stress.sh and soak/nodes.sh. Sourced after lib.sh and stress.sh.

nodes_dir=/sys/kernel/debug/lego/many
nodes_out=$(mktemp)
trap 'rm -f "$load_out" "$nodes_out"' EXIT

# nodes_run NODE WORDS...: the result is in $nodes_out
nodes_run() {
	ON_TIMEOUT=${NODES_TIMEOUT:-120} quick "$1" 'cd "$1" && shift &&
		echo "$*" > run && cat result' $nodes_dir "${@:2}" \
		> "$nodes_out" 2>&1
}

# nodes_is KEY: that number of the last run
nodes_is() {
	sed -n "s/.*\"$1\": \([0-9][0-9]*\).*/\1/p" "$nodes_out"
}

# nodes_good NODE NAME WORDS...: run, look at the result, and at the memory
nodes_good() {
	local node=$1 name=$2 before nr
	shift 2
	on "$node" insmod "$TOP/build/$KERNEL/lego_nodes/lego_nodes.ko"
	tap_ok $? "$name: the test module loads"
	# what is made once and kept is made
	nodes_run "$node" "$@" ms=1000
	before=$(kib_free "$node")
	nodes_run "$node" "$@"
	nr=$(nodes_is nodes)
	tap_is "errors=$(nodes_is errors) bad_bytes=$(nodes_is bad_bytes)" \
		"errors=0 bad_bytes=0" "$name: no error between two that are there"
	# one that goes at once and does not come again has not met all
	[ "$(nodes_is pairs)" -gt $((nr * (nr - 1) * 9 / 10)) ]
	tap_ok $? "$name: all have called all, but for those that went too soon"
	[ "$(nodes_is came)" -gt "$nr" ] &&
		[ "$(nodes_is came)" = "$(nodes_is went)" ]
	tap_ok $? "$name: some have come and gone meanwhile"
	tap_note "$(cat "$nodes_out")"
	given_back "$node" "$before" "$name: all"
	on "$node" rmmod lego_nodes
	tap_ok $? "$name: the test module unloads"
}
