#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# 64 callers over RDMA, while packets are lost, the link is down, the peer loses
# its power or is made anew: each call ends in time, once, and nothing of a
# reply comes to memory that was given back.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"

to=$(attr m1 nodes/m1/addr)
from=$(attr p0 nodes/p0/addr)
load_insmod p0 addr="${from%:*}:7490" || exit
all="callers=64 timeout_ms=$((1500 * slow)) slack_ms=$slack"

load_run p0 "$to" $all ms=2000 out=4096 timeout_ms=$((10000 * slow))
load_clean "a quiet network"
load_run p0 "$to" callers=500 mode=3 calls=3000 timeout_ms=$((20000 * slow))
load_clean "hundreds of calls under way"
# tos POLICY CLASS: types of service of what comes to m1, and goes, by RoCE
# while p0 calls in that class
tos() {
	quick p0 'echo "$1" > /sys/module/lite_rpc/parameters/qos' "$1"
	on m1 timeout $((30 * slow)) python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
s.settimeout(0.1)
print("on", flush=True)
seen, end = set(), time.time() + float(sys.argv[1])
while time.time() < end:
	try:
		p, addr = s.recvfrom(128)
	except TimeoutError:
		continue
	at = (p[0] & 15) * 4
	if p[0] >> 4 == 4 and p[9] == 17 and p[at + 2:at + 4] == b"\x12\xb7":
		seen.add(("to " if addr[2] == 4 else "from ") + str(p[1] & 0xfc))
print(*sorted(seen), sep="\n")' $((2 * slow)) > "$tos_out" &
	wait_until 20 grep -q on "$tos_out"
	load_run p0 "$to" calls=100 class="$2" timeout_ms=$((10000 * slow))
	wait $!
	quick p0 'echo none > /sys/module/lite_rpc/parameters/qos'
}
tos_out=$(mktemp)
trap 'rm -f "$load_out" "$tos_out"' EXIT
tos hw 3
tap_is "$(grep -c " 32$" "$tos_out")" 2 \
	"qos=hw: write-back has a type of service of its own, both ways"
tap_note "$(cat "$tos_out")"
load_clean "qos=hw"
tos none 3
tap_is "$(grep -c " 32$" "$tos_out")" 0 "qos=none: it has none"
forgotten m1 m1
before=$(kib_free p0)
before_m1=$(kib_free m1)

"$rack" net m1 loss 1
"$rack" net p0 loss 1
load_run p0 "$to" $all ms=6000 out=4096
load_good "one packet in a hundred lost"
"$rack" net m1 loss 0
"$rack" net p0 loss 0

# the first request to connect is lost; who asks once more gets it
wait_until 10 no_conns m1 m1
"$rack" net m1 down
(sleep 1; "$rack" net m1 up) &
load_run p0 "$to" calls=1 timeout_ms=$((20000 * slow))
wait
load_clean "the link down when it connects"

for what in "out=4096 mode=0" "size=1024 mode=1" "mode=2" "mode=3 class=2"; do
	(sleep 1; "$rack" net m1 down; sleep 3; "$rack" net m1 up) &
	load_run p0 "$to" $all ms=6000 $what
	wait
	load_good "the link down for 3 s, $what"
done

# of a peer that goes orderly and comes again, in the same kernel
(sleep 1; on m1 rmmod mcomp; sleep 1; "$rack" load m1 > /dev/null 2>&1) &
load_run p0 "$to" $all ms=$((6000 * slow)) out=65536
wait
load_good "the peer made anew"

forgotten m1 m1
given_back m1 "$before_m1" "the peer's"

(sleep 2; "$rack" kill m1; sleep 2; "$rack" start m1 > /dev/null 2>&1) &
load_run p0 "$to" $all ms=$((20000 * slow)) out=4096
wait
load_good "the peer loses its power and comes again"
load_run p0 "$to" $all ms=2000 out=4096 timeout_ms=$((10000 * slow))
load_clean "the network quiet again"

given_back p0 "$before" "the caller's"
load_rmmod p0
tap_done
