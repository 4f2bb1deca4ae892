#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Memory that is given up while it is used, under pressure: in two vNodes that
# share an ExCache of 3 MiB, and while answers of mComponents are lost.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_vnode other
have_pcomp tiny 3
quick s0 'mkdir -p /srv/lego/tmp; cp "$1" /srv/lego/tmp/' \
	"$TOP/build/tools/prog/discard"

# run_both SECONDS SEED: the program in both; its output, exit status last
run_both() {
	on_sh p0 'for v in test other; do
		(lego run -n $v -p tiny -- /tmp/discard "$1" $(($2 + 100 * ${#v})) 2>&1
			echo "$v: exit status $?") > /tmp/discard.$v &
	done
	wait
	cat /tmp/discard.test /tmp/discard.other' "$@"
}

# both_good OUTPUT NAME
both_good() {
	tap_is "$(grep -c 'exit status 0' <<< "$1")" 2 "$2"
	tap_note "$1"
}

ON_TIMEOUT=150
both_good "$(run_both 14 $((RANDOM | 1)))" \
	"programs that discard memory beside its users read what they wrote, or zeroes"

# What an mComponent has done may be asked for again: its answers are lost for a
# while, all of them, and come again.
quick one 'cd /sys/kernel/debug/lego/nodes
	until [ -e /tmp/answers ]; do
		for n in 1 0; do
			echo $n > m0/fault/fail_qp
			echo $n > m1/fault/fail_qp
			usleep $((300000 + 400000 * (1 - n)))
		done
	done' &
both_good "$(run_both 14 $((RANDOM | 1)))" \
	"so they do while answers of mComponents are lost"
quick one 'touch /tmp/answers'
wait
quick one "rm /tmp/answers"
wait_until 40 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
tap_done
