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
awk '{ exit !($10 > 0 && $10 <= $11 && $11 <= $12 && $12 < 60000000) }' \
	<<< "$row"
tap_ok $? "half take no longer than 99 in a hundred, nor these than 999"
tap_note "$row"
tap_check "JSON, for programs" python3 -c 'import json, sys
links = json.loads(sys.argv[1])
sys.exit(not any(l["node"] == "small" and l["class"] == "demand" and
	0 < l["p50_ns"] <= l["p99_ns"] for l in links))' "$json"
tap_done
