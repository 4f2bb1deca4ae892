#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
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
has_some() {
	[ "$(used "$1")" -gt 0 ]
}
# gmgr places the second one's by what it has heard of the first one's
gmgr_knows() {
	[ "$(attr g0 "gmgr/g0/members/m0/used_bytes")" -gt $((200 * 4096)) ] &&
		[ "$(attr g0 gmgr/g0/members/m1/state)" = up ]
}
# each program has all its vRegions at its home, whichever page is sent there late
policy() { # MCOMPONENT POLICY
	quick "$1" 'echo "$1" > "/sys/kernel/lego/mcomp/$2/policy"' "$2" "$1"
}
begin() { # NR PAGES
	lrun -p small /tmp/refill "$2" 100 alone > "$out.$1" 2>&1 &
	pid[$1]=$!
	wait_until 60 grep -q ready "$out.$1"
	tap_ok $? "program $1 runs"
}
written() { # pages that mComponents have taken
	attr p0 pcomp/small/writebacks
}
more_written() { # than a message that was under way
	[ "$(written)" -gt $((before + 64)) ]
}
out=$(mktemp)
trap 'rm -f "$out" "$out".?' EXIT

wait_until 30 none_held
# the first one's is more than there is ExCache: it lives on write-backs
on m1 rmmod mcomp
policy m0 home
begin 1 1100
wait_until 20 has_much m0
tap_ok $? "it has its memory on the only mComponent"
"$rack" load m1
policy m1 home
wait_until 20 gmgr_knows
begin 2 300
wait_until 20 has_some m1
tap_ok $? "it has memory on another one"

expect_log 'no answer to a write-back from mComponent m1'
ip=$(ip_of m1)
cut_way p0 "$ip"
sleep 3
before=$(written)
# less than the 30 s that a program waits
within 22 more_written
tap_ok $? "the first one's pages are written while the second one's cannot be"
tap_note "$(($(written) - before)) pages"
mend_way p0 "$ip"
quick p0 'busybox killall refill'
for i in 1 2; do
	wait "${pid[i]}"
	tap_is $? 0 "program $i ends well, with all that it wrote"
	tap_note "$(tail -n 1 "$out.$i")"
done
policy m0 spread
policy m1 spread
wait_until 20 none_held
tap_is "$(held)" 0 "nothing is held afterwards"
tap_done
