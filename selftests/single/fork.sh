#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Processes with many mappings, and with many relatives.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# the most ranges that an mComponent has of a space
ranges() {
	quick m0 'cat /sys/kernel/debug/lego/mcomp/m?/spaces' |
		awk '$6 ~ /^[0-9]+$/ { if ($6 > n) n = $6 } END { print n + 0 }'
}

quick s0 'mkdir -p /srv/lego/tmp; cp "$@" /srv/lego/tmp/' \
	"$TOP"/build/tools/prog/{forks,mappings,relatives}
mkfifo "$out/in"
"$rack" exec p0 -- lego run -n test -p small -- /tmp/mappings \
	< "$out/in" > "$out/mappings" 2>&1 &
exec 9> "$out/in"
wait_until 60 grep -q ready "$out/mappings"
tap_ok $? "processes with any number of mappings end"
n=$(ranges)
[ "$n" -gt 0 ] && [ "$n" -lt 60 ]
tap_ok $? "a heap that grew page by page is one range at its owner"
tap_note "$n ranges"
exec 9>&-
wait

# right NAME: what the case of that name says
right() {
	sed -n "s/^$1: //p" "$out/relatives"
}

lrun /tmp/relatives apart missing bare moved > "$out/relatives" 2>&1
tap_is "$(right apart)" ok "what a parent forks takes no page of another child away"
tap_is "$(right missing)" ok "a child has all memory but what is MADV_DONTFORK"
tap_is "$(right bare)" ok "a child without any is the vNode's process, too"
tap_is "$(right moved)" ok "a child has what another thread is just moving"
lrun -p small /tmp/relatives kept few > "$out/relatives" 2>&1
tap_is "$(right kept)" ok "a child keeps what its parent had when it forked"
tap_is "$(right few)" ok "100 children at once write to their copies, in 4 MiB"

# requests that the mComponents have answered
served() {
	quick m0 'cat /sys/kernel/lego/nodes/m?/served' |
		awk '{ n += $1 } END { print n }'
}
before=$(served)
lrun /tmp/forks 8 100
tap_is $? 0 "100 forks of a small program"
nr=$(($(served) - before))
[ $nr -lt 400 ]
tap_ok $? "take less than four requests to the mComponents each"
tap_note "$nr, with those of the program itself"
wait_until 40 none_held
tap_is "$(held)" 0 "and leave nothing"
tap_done
