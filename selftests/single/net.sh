#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# lego net shows the connections and how fast they are; what becomes of one whose
# peer is slow, silent, or another.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"

have_vnode test
have_pcomp small 4
in_both "$(lines 20000)"
run=$(mktemp)
trap 'rm -f "$run" "$load_out"' EXIT
# while a program runs: connections are there as long as somebody needs them
lrun -p small python3 -c 'import time
data = [bytearray(b"%07d" % i) * 512 for i in range(3000)]
for _ in range(2): # three times what fits into ExCache
    sum(d[i] for d in data for i in (0, -1))
print(len(sorted(open("/data/lines"))), flush=True)
time.sleep(100)' > "$run" &
wait_until 60 grep -q 20000 "$run"
out=$(on p0 lego net)
json=$(on p0 lego net --json)
on p0 pkill -x python3
wait $!
tap_like "$out" '^NODE +PEER' "a table"
tap_like "$out" '^small .* demand +loop +up +[1-9]' "fetches are in it"
row=$(grep -m 1 '^small .* demand ' <<< "$out")
awk '{ half = $(NF - 2); most = $(NF - 1)
	exit !(half > 0 && half <= most && most <= $NF && $NF < 60000000) }' \
	<<< "$row"
tap_ok $? "half take no longer than 99 in a hundred, nor these than 999"
tap_note "$row"
tap_check "JSON, for programs" python3 -c 'import json, sys
links = json.loads(sys.argv[1])
sys.exit(not any(l["node"] == "small" and l["class"] == "demand" and
	0 < l["p50_ns"] <= l["p99_ns"] for l in links))' "$json"
# what it says of pages: at least a page each, and no more than all there is
tap_check "the bytes of pages that were read are counted" python3 -c 'import json, sys
l = next(l for l in json.loads(sys.argv[1])
	 if l["node"] == "small" and l["class"] == "demand" and l["one_sided"])
sys.exit(not 4096 * l["one_sided"] <= l["received_bytes"] <= 4200 * l["calls"])' "$json"

# from the call to the reply, in the order in which it happens
events=$(on_sh one 'cd /sys/kernel/tracing || exit
	[ -e trace ] || mount -t tracefs none . || exit
	echo > trace; echo 1 > events/lite_rpc/enable
	echo "$(cat /sys/kernel/lego/nodes/m0/addr) op=1 len=0" \
		> /sys/kernel/debug/lego/nodes/g0/inject
	echo 0 > events/lite_rpc/enable
	grep -E "op 0x0001 " trace' | sed 's/.* \(lite_[a-z_]*\): .*/\1/')
tap_is "$(head -n 4 <<< "$events" | tr '\n' ' ')" \
	"lite_call lite_request lite_reply lite_call_end " \
	"tracepoints follow a call from its beginning to its end"

sink=(one loop:sink) # where it is, and who
# send WORDS...: a request of g0's; prints the error that comes of it
send() {
	quick one 'echo "$*" > /sys/kernel/debug/lego/nodes/g0/inject' \
		"$@" 2>&1
}

load_insmod one sink=loop:sink || exit
# how long calls took, and what became of them
load_run "${sink[@]}" calls=20 op=1 work_us=20000 hold=1 \
	timeout_ms=$((10000 * slow))
half=$(load_link "${sink[@]}" p50_ns)
[ "$half" -ge 20000000 ] && [ "$half" -le $((60000000 * slow)) ]
tap_ok $? "half of the calls take what their handler takes"
tap_note "$half ns"
sent=$(load_link "${sink[@]}" sent_bytes)
load_run "${sink[@]}" calls=10 size=200 hold=1 timeout_ms=$((10000 * slow))
sent=$(($(load_link "${sink[@]}" sent_bytes) - sent))
[ $sent -ge 2000 ] && [ $sent -le 3000 ]
tap_ok $? "the bytes of requests are counted"
fault one sink drop 1
load_run "${sink[@]}" calls=3 hold=1 timeout_ms=300
fault one sink drop 0
tap_is "$(load_link "${sink[@]}" timeouts)" 3 "time-outs are counted"
fault one load fail_qp 1
load_run "${sink[@]}" calls=2 op=1 work_us=50000 hold=1 \
	timeout_ms=$((10000 * slow))
fault one load fail_qp 0
tap_is "$(load_link "${sink[@]}" lost)" 2 "and what is lost with a connection"
tap_is "$(load_link "${sink[@]}" errors)" 5 "errors are all of these"
load_run "${sink[@]}" calls=1 hold=1 timeout_ms=$((10000 * slow))
tap_is "$(load_link "${sink[@]}" credits)" 64 "nobody calls: all slots are free"
fault one sink delay_ms 2000
load_run "${sink[@]}" callers=20 calls=20 hold=1 timeout_ms=$((10000 * slow)) &
busy() {
	local n
	n=$(load_link "${sink[@]}" outstanding)
	[ "$n" -ge 5 ] && [ "$(load_link "${sink[@]}" credits)" -lt 64 ]
}
wait_until 5 busy
tap_ok $? "calls under way are seen, and take credits"
wait
fault one sink delay_ms 0

one_late "${sink[@]}"

# What a handler of a connection that was lost still does is over before the
# next begins: each request breaks it once it is there.
fault one load fail_qp 1
load_run "${sink[@]}" op=1 work_us=300000 ms=$((2000 * slow)) \
	timeout_ms=$((10000 * slow))
fault one load fail_qp 0
tap_is "$(load_is at_once)" 1 "a lost connection's handler is over before others begin"
[ "$(load_is calls)" -gt "$(load_is ok)" ]
tap_ok $? "and it was lost"

# crowded: most of its slots are those of calls that were cancelled, whose replies
# are still to come, when a few others are late
crowded() {
	local resets

	load_run "${sink[@]}" calls=1 hold=1 timeout_ms=$((10000 * slow))
	resets=$(load_link "${sink[@]}" resets)
	fault one sink delay_ms $((4000 * slow))
	load_run "${sink[@]}" callers=60 calls=60 out=4096 hold=1 \
		timeout_ms=$((300 * slow))
	tap_note "$(cat "$load_out")"
	load_run "${sink[@]}" callers=4 calls=4 hold=1 timeout_ms=$((300 * slow))
	fault one sink delay_ms 0
	[ "$(load_link "${sink[@]}" resets)" = "$resets" ]
}
# a machine that stood still for a second did not answer the cancels
for try in 1 2 3; do
	crowded && break
	tap_note "try $try: $(cat "$load_out")"
done
tap_ok $? "calls that it has cancelled do not count against a peer"
on_sh one 'rmmod lego_load' && load_insmod one sink=loop:sink
on_sh one 'cd /sys/kernel/tracing; echo > trace
	echo 1 > events/lite_rpc/lite_link_state/enable'
beat one 100 5
load_run "${sink[@]}" calls=1 hold=1
load_clean "a connection that stays"
tap_is "$(load_link "${sink[@]}" state)" up "it is up"
before=$(load_link "${sink[@]}" heartbeats)
sleep 1
tap_is "$(load_link "${sink[@]}" heartbeats)" "$before" \
	"while nobody calls it costs no heartbeat"
fault one sink delay_ms $((3000 * slow))
load_run "${sink[@]}" calls=3 hold=1 timeout_ms=$((800 * slow))
[ "$(load_link "${sink[@]}" heartbeats)" -gt "$before" ]
tap_ok $? "one whose calls wait does"
tap_is "$(load_link "${sink[@]}" state) $(load_link "${sink[@]}" resets)" "up 0" \
	"a peer that takes its time is not lost"
fault one sink delay_ms 0
wait_until 10 load_link_is "${sink[@]}" outstanding 0

# one call, whose reply is lost, while nothing and then something else is heard
beat one 100 100
fault one sink drop 1
load_run "${sink[@]}" calls=1 hold=1 timeout_ms=60000 &
wait_until 5 load_link_is "${sink[@]}" state stalled
tap_ok $? "one that is silent is stalled"
fault one sink drop 0
wait_until 5 load_link_is "${sink[@]}" state up
tap_ok $? "and up when it is heard again"
tap_is "$(load_link "${sink[@]}" resets)" 0 "the connection is the same"
fault one sink drop 1
wait_until 5 load_link_is "${sink[@]}" state stalled
beat one 100 5
wait
tap_like "$(cat "$load_out")" '"errors": \{ *"104": 1' \
	"a call to one that stays silent ends long before its time-out"
tap_is "$(load_link "${sink[@]}" state)" reconnecting "the connection is lost"

beat one 1000 5
ms=$(on_sh one 'echo "loop:sink op=1" > /sys/kernel/debug/lego/nodes/g0/inject &
	sleep 0.5
	start=${EPOCHREALTIME/./}
	kill -9 $!; wait $! 2> /dev/null
	echo $(((${EPOCHREALTIME/./} - start) / 1000))')
[ "$ms" -lt 2000 ] # its time-out is 2500 ms away
tap_ok $? "a caller that is killed in a call without memory ends at once"
tap_note "after $ms ms"
# its memory is the peer's till that has answered, or the connection is reset
killed() { # WORDS...: so long after it was killed a call ends, ms
	on_sh one 'echo "$*" > /sys/kernel/debug/lego/load/run &
		sleep 1
		start=${EPOCHREALTIME/./}
		kill -9 $!; wait $! 2> /dev/null
		echo $(((${EPOCHREALTIME/./} - start) / 1000))' "$@"
}
beat one 1000 60
for how in "mode=0 out=4096,with memory" "mode=4,to many"; do
	# shellcheck disable=SC2086 # words
	ms=$(killed loop:sink class=0 calls=1 hold=1 timeout_ms=40000 ${how%,*})
	[ "$ms" -lt $((5000 * slow)) ]
	tap_ok $? "a caller that is killed in a call ${how#*,} ends soon"
	tap_note "after $ms ms"
done
ms=$(killed loop:sink class=0 calls=1 hold=1 timeout_ms=$((6000 * slow)) out=4096 \
	nokill=1)
[ "$ms" -ge $((3000 * slow)) ]
tap_ok $? "but one that must not be waits its time"
tap_note "after $ms ms"
beat one 1000 5
fault one sink drop 0
load_run "${sink[@]}" calls=1 hold=1
load_clean "a peer that answers again"
tap_is "$(load_link "${sink[@]}" state)" up "the connection is up again"
resets=$(load_link "${sink[@]}" resets)
ms=$(killed loop:sink calls=1 hold=1 op=1 slow_us=$((4000000 * slow)) out=4096 \
	timeout_ms=40000)
tap_is "$(load_link "${sink[@]}" resets)" "$resets" \
	"and stays, if a caller is killed whose call takes long"
tap_note "after $ms ms"
wait_until 10 load_link_is "${sink[@]}" credits 64

old=$(attr one nodes/sink/incarnation)
tap_check "a life of a peer can be asked for" \
	send loop:sink incarnation="$old" op=1
on one rmmod lego_load && load_insmod one sink=loop:sink
tap_like "$(send loop:sink incarnation="$old" op=1)" 'Stale' \
	"one that was made anew is another peer"
tap_check "which is there" send loop:sink op=1
events=$(on_sh one 'cd /sys/kernel/tracing
	echo 0 > events/lite_rpc/lite_link_state/enable
	sed -n "s/.*lite_link_state: //p" trace')
states=$(sed -n 's/^load -> loop:sink class 1: //p' <<< "$events" | tr '\n' ',')
want="down to connecting,connecting to up,up to stalled,stalled to up"
want+=",up to stalled,stalled to reconnecting,reconnecting to up,"
# its end: whether caller or peer goes first is left open
tap_like "$states" "^$want(up|up to reconnecting,reconnecting) to gone,\$" \
	"its states are those of state.c"
tap_is "$(grep -c "g0 -> loop:sink .* connecting to gone" <<< "$events")" 1 \
	"and who asks for a life that is over finds it gone"
tap_check "the generator unloads" on one rmmod lego_load
tap_done
