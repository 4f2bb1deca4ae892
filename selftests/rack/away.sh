#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# One mComponent of two can not be reached for a while: programs that have their
# memory at the other go on, those that have it there wait, and none ends.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=200

have_vnode test
have_pcomp small 4
on_sh s0 'cp "$1" /srv/lego/tmp/refill && chmod 755 /srv/lego/tmp/refill' \
	"$TOP/build/tools/prog/refill"
used() { # pages
	echo $(($(attr "$1" "mcomp/$1/used_bytes") / 4096))
}
has_much() {
	[ "$(used "$1")" -gt 200 ]
}
one_has_much() {
	has_much m0 || has_much m1
}
# gmgr places the second one's by what it has heard of the first one's
gmgr_knows() {
	[ "$(attr g0 "gmgr/g0/members/$1/used_bytes")" -gt $((200 * 4096)) ]
}
# cut IP SECONDS: so long what p0 sends there goes to a machine that is not there
cut() {
	on_sh p0 'dev=$(ip -o route get "$1" | sed "s/.* dev \([^ ]*\).*/\1/")
		ip neigh replace "$1" lladdr 02:00:00:00:00:fe dev "$dev" \
			nud permanent
		(sleep "$2"; ip neigh del "$1" dev "$dev") \
			> /dev/null 2>&1 &' "$@"
}
written() { # pages that mComponents have taken
	attr p0 pcomp/small/writebacks
}
more_written() {
	[ "$(written)" -gt $((before + 250)) ]
}
out=$(mktemp)
trap 'rm -f "$out" "$out".?' EXIT

wait_until 30 none_held
# each more than there is ExCache, so that both need write-backs
for i in 1 2; do
	lrun -p small /tmp/refill 1100 50 alone > "$out.$i" 2>&1 &
	pid[i]=$!
	wait_until 60 grep -q ready "$out.$i"
	tap_ok $? "a program has its memory on an mComponent"
	[ $i = 1 ] || break
	wait_until 20 one_has_much
	has_much m0 && far=m0 near=m1 || far=m1 near=m0
	wait_until 20 gmgr_knows $far
	before=$(used $far)
done
wait_until 20 has_much $near && [ "$(used $far)" -lt $((before + 400)) ]
tap_ok $? "each has it on another one"
tap_note "$far: $before pages, then $(used $far); $near: $(used $near)"

expect_log "no answer to a write-back from mComponent $far"
ip=$(attr "$far" "nodes/$far/addr")
cut "${ip%:*}" 20 # less than the 30 s that a program waits
sleep 3
before=$(written)
wait_until 15 more_written
tap_ok $? "the second one's pages are written while the first one's cannot be"
tap_note "$(($(written) - before)) pages; rounds: $(grep -c again "$out.1"), $(
	grep -c again "$out.2")"
for i in 1 2; do
	wait "${pid[i]}"
	tap_is $? 0 "program $i ends well, with all that it wrote"
	tap_note "$(tail -n 1 "$out.$i")"
done
wait_until 20 none_held
tap_is "$(held)" 0 "nothing is held afterwards"
tap_done
