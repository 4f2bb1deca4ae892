#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lego net shows the connections and how fast they are.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
in_both "$(lines 20000)"
run=$(mktemp)
trap 'rm -f "$run"' EXIT
# while a program runs: connections are there as long as somebody needs them
lrun -p small python3 -c 'import time
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
tap_done
