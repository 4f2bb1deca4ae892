#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What calls cost, each beside its peer between the same two VMs in the same
# run: a call of 64 bytes both ways beside twice what ib_write_lat -s 64 reports
# (half of its round trip), a reply of 4 KiB beside ib_read_lat -s 4096, and
# beside the two writes that request and reply are, by ib_write_lat, what a
# lite_lmr_write() moves in 64 KiB writes beside ib_write_bw -s 65536. Rounds
# alternate; medians of the rounds' medians. Then calls per second by callers,
# and the memory that a peer costs. Prints, and writes the same into
# docs/performance.md; never fails for being slow.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"
ON_TIMEOUT=200
rounds=${ROUNDS:-5}
calls=500

tmp=$(mktemp -d)
trap 'rm -rf "$tmp" "$load_out"' EXIT
ip() { attr "$1" "nodes/$1/addr" | sed 's/:.*//'; }
to=$(attr m0 nodes/m0/addr)
keepers m0
load_insmod p0 addr="$(ip p0):7490" || exit
fault p0 load fail_alloc 0 # faults cost nothing then
on p0 insmod "$TOP/build/$KERNEL/lego_lmr/lego_lmr.ko" ip="$(ip p0)" at="$to" \
	other="$to" || exit
for n in p0 m0; do
	on $n modprobe -q rdma_ucm
	on $n modprobe -q ib_uverbs
done

median() { # of lines
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

perftest() { # PROGRAM SIZE: its line of results
	on_sh m0 '"$1" -d rxe0 -s "$2" -n '$calls' -F > /dev/null 2>&1 &
		sleep 1' "$@"
	for _ in 1 2 3 4 5; do # it may take longer until it listens
		on p0 "$1" -d rxe0 -s "$2" -n $calls -F "$(ip m0)" \
			2> /dev/null |
			awk -v s="$2" '$1 == s && $4 > 0 { print; found = 1 }
				END { exit !found }' && return
		sleep 1
	done
}

typical() { # PROGRAM SIZE: its typical time, ns
	perftest "$@" | awk '{ printf "%d\n", $5 * 1000 }'
}

average() { # PROGRAM SIZE: its average bandwidth, KiB/s
	perftest "$@" | awk '{ print $4 * 1024 }'
}

lmr_bw() { # the same of LMR writes
	on p0 cat /sys/kernel/debug/lego/lmr/bw
}

spin() { # MICROSECONDS
	on_sh p0 'echo "$1" > /sys/module/lite_rpc/parameters/spin_demand_us' \
		"$1"
}

lat() { # WORDS...: a call's median, ns
	load_run p0 "$to" callers=1 calls=$calls timeout_ms=10000 "$@"
	load_is p50_ns
}

for ((i = 0; i < rounds; i++)); do
	half=$(typical ib_write_lat 64)
	half=${half:-0}
	echo $((2 * half)) >> "$tmp/write"
	spin 100000 # polls whatever it takes, as perftest does
	lat size=64 >> "$tmp/call"
	spin 1000
	lat size=64 >> "$tmp/call_dflt"
	typical ib_read_lat 4096 >> "$tmp/read"
	echo $((half + $(typical ib_write_lat 4096))) >> "$tmp/writes"
	spin 100000
	lat size=0 out=4096 >> "$tmp/page"
	spin 1000
	lat size=0 out=4096 >> "$tmp/page_dflt"
	average ib_write_bw 65536 >> "$tmp/bw"
	lmr_bw >> "$tmp/lmr"
	for n in 1 4 16 64; do
		load_run p0 "$to" callers=$n ms=2000 size=64 timeout_ms=10000
		load_is calls_per_s >> "$tmp/rate$n"
		load_run p0 "$to" callers=$n ms=2000 size=0 out=4096 \
			timeout_ms=10000
		load_is calls_per_s >> "$tmp/pages$n"
	done
done

# a figure that is missing makes no table
"$rack" check-logs || exit
for f in "$tmp"/*; do
	[ "$(grep -c '^[1-9]' "$f")" = "$rounds" ] && continue
	echo "bench: ${f##*/}: not all of the $rounds rounds gave a figure:" \
		"$(paste -sd ' ' "$f")" >&2
	exit 1
done

# What a peer costs: links of the three classes that are in use to one, two... others; at each
# end, when there is nothing else to do.
used() { # NODE PEERS: KiB, less those before
	local free
	free=$(kib_free "$1")
	[ "$2" = 0 ] && echo "$free" > "$tmp/free.$1"
	echo $(($(cat "$tmp/free.$1") - free))
}
on p0 rmmod lego_lmr
# so that what is allocated once is there already
load_run p0 "$to" calls=1
sleep 2
used p0 0 > /dev/null
used m0 0 > /dev/null
n=0
for peer in m0 m1 s0 g0; do
	for class in 0 1 3; do
		load_run p0 "$(attr $peer nodes/$peer/addr)" calls=1 hold=1 \
			class=$class
	done
	n=$((n + 1))
	[ $n = 1 ] && server=$(used m0 1)
	echo "$(used p0 $n)" >> "$tmp/mem"
done
caller=$(paste -sd ' ' "$tmp/mem")
on p0 rmmod lego_load

for f in write writes call call_dflt read page page_dflt bw lmr {rate,pages}{1,4,16,64}; do
	declare "$f=$(median < "$tmp/$f")"
done
mib() { awk -v kib="${1:-0}" 'BEGIN { printf "%.1f MiB/s", kib / 1024 }'; }
us() { awk -v ns="${1:-0}" 'BEGIN { printf "%.0f us", ns / 1000 }'; }
ratio() { awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }
# shellcheck disable=SC2154 # declared above
{
	cat << END
Linux $KERNEL, soft-RoCE, medians of $rounds alternating rounds of $calls calls each.

| what | median | beside | ratio | wanted |
|---|---|---|---|---|
| call, 64 bytes both ways, polling | $(us "$call") | 2x \`ib_write_lat -s 64\`: $(us "$write") | $(ratio "$call" "$write") | 1.25 |
| the same, \`spin_demand_us\` as by default | $(us "$call_dflt") | | $(ratio "$call_dflt" "$write") | |
| call with a reply of 4 KiB by RDMA, polling | $(us "$page") | \`ib_read_lat -s 4096\`: $(us "$read") | $(ratio "$page" "$read") | 1.25 |
| the same | $(us "$page") | \`ib_write_lat\`, \`-s 64\` there and \`-s 4096\` back: $(us "$writes") | $(ratio "$page" "$writes") | |
| the same, \`spin_demand_us\` as by default | $(us "$page_dflt") | | $(ratio "$page_dflt" "$read") | |
| LMR writes, 64 KiB each; more is better | $(mib "$lmr") | \`ib_write_bw -s 65536\`: $(mib "$bw") | $(ratio "$lmr" "$bw") | 0.9 |

| callers | 1 | 4 | 16 | 64 |
|---|---|---|---|---|
| calls per second, 64 bytes | $rate1 | $rate4 | $rate16 | $rate64 |
| calls per second, 4 KiB replies | $pages1 | $pages4 | $pages16 | $pages64 |

Memory, with control, demand and write-back in use. A node that calls one, two, three, four
others: $caller KiB; one that is called by one: $server KiB. Of it, a link's 64 slots
are 64 send buffers and 64 of the reply ring, 3 * 512 KiB a peer, and at the other end
requests, replies and the request ring, 3 * 768 KiB; the rest is the device's queues.
END
} | tee "$tmp/table"
awk -v table="$tmp/table" '
/^<!-- bench lite -->/ {
	print
	while ((getline line < table) > 0)
		print line
	skip = 1
}
/^<!-- end -->/ { skip = 0 }
!skip && !/^<!-- bench lite -->/' "$TOP/docs/performance.md" > "$tmp/doc" &&
	cat "$tmp/doc" > "$TOP/docs/performance.md"
