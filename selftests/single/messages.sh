#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# Messages of a wrong version, operation or length, from a peer to each kind of
# component: refused with an error, soon, logged, and nothing else suffers. And
# many from a generator, which breaks nothing (soak/malformed: more of them).
# (The same over RDMA: rack/messages.)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../fuzz.sh"

expect_log 'refused request|bad message|bad reply|link reset'
have_vnode test
in_both "$(lines 20000)"

# send FROM TO WORDS...: a request; prints the error that comes of it
send() {
	quick "$1" 'from=$1; shift
		echo "$*" > "/sys/kernel/debug/lego/nodes/$from/inject"' \
		"$1" "$(attr "$2" "nodes/$2/addr")" "${@:3}" 2>&1
}

# refused TO NAME REGEX WORDS...
refused() {
	local to=$1 name=$2 regex=$3 start out from=p0 try
	[ "$to" = p0 ] && from=g0
	# a machine that stood still was taken for dead: that is no answer of it
	for try in 1 2 3; do
		start=$SECONDS
		out=$(send $from "$to" "${@:4}")
		grep -Eq 'No route to host|timed out|not connected' \
			<<< "$out" || break
		tap_note "try $try: $out"
		sleep 5
	done
	tap_like "$out" "$regex" "$to refuses $name"
	[ $((SECONDS - start)) -le $((10 * slow)) ]
	tap_ok $? "$to does so soon"
}

out=$(mktemp)
trap 'rm -f "$out" "$fuzz_out"' EXIT
ON_TIMEOUT=200 lrun sh -c 'echo on; for i in 1 2 3; do sort -r /data/lines; done' > "$out" &
wait_until 60 grep -q on "$out"
for to in g0 m0 s0 p0; do
	before=$(attr $to "nodes/$to/refused")
	case $to in
	g0) op=0x0103 ;;
	m0) op=0x0206 ;;
	s0) op=0x030e ;; # whose length is fixed
	p0) op=0x0401 ;;
	esac
	refused $to "another version" 'rotocol not supported' op=$op version=9
	refused $to "an unknown operation" 'not implemented' op=0x0177
	refused $to "an operation of no service" 'not implemented' op=0x7f01
	refused $to "too long a payload" 'too long' op=$op len=3000
	refused $to "a payload that is not all there" 'too long' \
		op=$op len=100 send=20
	refused $to "too many segments" 'too long' op=$op nr_in=200 nr_out=200
	refused $to "too short a payload" 'too long' op=$op len=1
	[ "$(attr $to "nodes/$to/refused")" -ge $((before + 7)) ]
	tap_ok $? "$to counts them"
	# not even a header: the connection is broken, the next one works
	refused $to "half a header" 'reset|aborted|rotocol error' send=4
	wait_until 20 send "$([ $to = p0 ] && echo g0 || echo p0)" $to len=0
	tap_ok $? "$to still answers"
done
wait
want=$(on_sh p0 'echo on; for i in 1 2 3; do sort -r /data/lines; done' |
	md5sum)
tap_is "$(md5sum < "$out")" "$want" "a program that ran meanwhile is right"

# Over RDMA only wrong answers, of and to nodes of its own: what is sent to the
# mComponents leaves spaces with them, whose modules rack/ tests unload.
if [ "$(attr p0 nodes/p0/transport)" != loop ]; then
	nr=2000
	ip=$(attr m1 nodes/m1/addr)
	loop_local() {
		quick m1 'echo $1 > /sys/module/lite_rpc/parameters/loop_local' "$1"
	}
	loop_local N
	on m1 insmod "$TOP/build/$KERNEL/lego_fuzz/lego_fuzz.ko" "ip=${ip%:*}"
	fuzz_run seed=1 count=$nr threads=4 breaks=100 lies=1
	fuzz_good $nr
	tap_ok $? "$nr answers: each call ends once, and no other memory is touched"
	tap_note "$(cat "$fuzz_out")"
	on m1 rmmod lego_fuzz
	tap_ok $? "all that was made goes"
	loop_local Y
	tap_done
fi
nr=20000 breaks=1000
fuzz_begin
tap_ok $? "a generator of malformed messages is there"
fuzz_run seed=1 count=$nr breaks=$breaks $fuzz_targets
fuzz_good $nr
tap_ok $? "$nr requests: each call ends once, and no other memory is touched"
tap_note "$(cat "$fuzz_out")"
fuzz_run seed=1 count=$((nr / 2)) threads=4 breaks=$((breaks / 4)) lies=1
fuzz_good $((nr / 2))
tap_ok $? "$((nr / 2)) answers: the same"
tap_note "$(cat "$fuzz_out")"
tap_check "all that was made goes" fuzz_end
same "and a program's result is right" sort /data/lines
wait_until 30 none_held
tap_is "$(held)" 0 "no memory is held in the end"
tap_done
