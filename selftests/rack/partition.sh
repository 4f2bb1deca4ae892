#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 600
# Whose fault is it that somebody is not heard? No program ends for a fault that
# is over in time, or that its own connections do not have; and one whose memory
# is really gone ends soon, with a reason.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=500 # the first program waits for all the others

expect_log 'gmgr .* does not answer'
expect_log 'does not answer heartbeats'
members=(p0 small m0 m1 s0)
is_isolated() {
	[ "$(attr g0 gmgr/g0/isolated)" = 1 ]
}
runs() { # PID: it has not ended
	kill -0 "$1" 2> /dev/null
}
# until SECONDS: till so many have gone by since the fault began
rest_of() {
	local left=$((began + $1 - SECONDS))
	[ $left -le 0 ] || sleep $left
}
begin_fault() {
	began=$SECONDS
}
keep_begin() { # OUT PAGES TAG
	lrun -p small /tmp/keep "$2" "$3" /tmp/go > "$1" 2>&1 &
	wait_until 200 grep -q ready "$1"
}

have_vnode test
have_pcomp small 2
on_sh s0 'cp "$1" /srv/lego/tmp/keep && chmod 755 /srv/lego/tmp/keep &&
	rm -f /srv/lego/tmp/go' "$TOP/build/tools/prog/keep"
out=$(mktemp)
trap 'rm -f "$out" "$out".?' EXIT
keep_begin "$out" 1200 1
first=$!
tap_check "a program has its memory on the mComponents" grep -q ready "$out"
wait_until 20 rack_is_well "${members[@]}"

begin_fault
"$rack" net g0 down
wait_until 20 is_isolated
tap_ok $? "a gmgr whose network is gone suspects itself"
tap_like "$(on g0 lego status)" 'MOST MEMBERS FELL SILENT TOGETHER' \
	"and lego status says so"
rest_of 10
tap_is "$(quick g0 'cd /sys/kernel/lego/gmgr/g0/members &&
	for m; do cat $m/state; done | sort -u' "${members[@]}")" up \
	"it calls nobody dead"
"$rack" net g0 up
wait_until 20 rack_is_well "${members[@]}"
tap_ok $? "it hears all when its network is back"
runs $first
tap_ok $? "the program runs on"

g0=$(ip_of g0)
begin_fault
cut_way m0 "$g0" # and no other
wait_until 20 member_is m0 dead
tap_ok $? "gmgr calls an mComponent dead that cannot reach it alone"
answers() {
	on p0 dmesg | grep -q "gmgr calls m0 dead, but it answers"
}
wait_until 10 answers
tap_ok $? "a pComponent asks that mComponent, which answers"
rest_of 18 # longer than anybody waits for an answer
runs $first
tap_ok $? "the program runs on"
mend_way m0 "$g0"
wait_until 20 rack_is_well "${members[@]}"
tap_ok $? "the mComponent is a member again"

begin_fault
"$rack" pause g0
rest_of 8
"$rack" resume g0
wait_until 20 rack_is_well "${members[@]}"
tap_ok $? "a gmgr that stood still has all members again"
runs $first
tap_ok $? "the program runs on"

begin_fault
"$rack" net m0 down
wait_until 20 member_is m0 dead
tap_ok $? "an mComponent's network is gone"
rest_of 6
"$rack" net m0 up
wait_until 20 rack_is_well "${members[@]}"
tap_ok $? "it comes back after 6 s"
on_sh s0 ': > /srv/lego/tmp/go'
wait $first
tap_is "$? $(tail -n 1 "$out")" "0 right" "the program ends well, its memory right"
on_sh s0 'rm -f /srv/lego/tmp/go'

keep_begin "$out.1" 800 1
second=$!
keep_begin "$out.2" 800 2
third=$!
m=m0
[ "$(attr m0 mcomp/m0/used_bytes)" -gt 0 ] || m=m1
tap_check "two more have memory there" \
	[ "$(attr $m mcomp/$m/used_bytes)" -gt 0 ]
begin_fault
"$rack" kill $m
one_ended() {
	! runs "$second" || ! runs "$third"
}
within 20 one_ended
tap_ok $? "when an mComponent loses its power, a program with memory there ends within 20 s"
tap_note "after $((SECONDS - began)) s"
tap_check "with a reason" grep -hE "$m died and had part of its memory" \
	"$out".1 "$out".2
"$rack" start $m
tap_ok $? "it starts again"
wait_until 30 member_is $m up
keep_begin "$out.3" 800 3
begin_fault
"$rack" kill p0
within 20 none_held
tap_ok $? "when a pComponent loses its power, its memory is free within 20 s"
tap_note "after $((SECONDS - began)) s"
wait
tap_done
