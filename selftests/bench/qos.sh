#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long demand takes beside a flood of write-back, by the policy of qos=: a
# reply of 4 KiB to one caller, while 64 callers of another node of the same
# machine have 64 KiB each written to them in class write-back; and with no
# flood at all. Rounds alternate; medians of the rounds' quantiles. Prints,
# and never fails for being slow.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"
ON_TIMEOUT=200
rounds=${ROUNDS:-5}
calls=200

tmp=$(mktemp -d)
trap 'rm -rf "$tmp" "$load_out"' EXIT
ip() { attr "$1" "nodes/$1/addr" | sed 's/:.*//'; }
to=$(attr m0 nodes/m0/addr)
load_insmod p0 addr="$(ip p0):7490" sink="$(ip p0):7491" || exit
fault p0 load fail_alloc 0

median() { # of lines
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# round NAME: with a flood, unless it is "idle"; in $load_out two results
round() {
	on_sh p0 'cd "$1" || exit
		policy=$3
		[ $policy = idle ] && policy=none
		echo $policy > /sys/module/lite_rpc/parameters/qos
		if [ "$3" != idle ]; then
			echo "$2 callers=64 ms=8000 size=0 out=65536 class=3 timeout_ms=20000" > run &
			sleep 1
		fi
		echo "$2 calls=$4 ms=6000 size=0 out=4096 timeout_ms=20000" > sink_run
		wait
		cat sink_result result' $load_dir "$to" "$1" $calls > "$load_out"
	load_is p50_ns | head -n 1 >> "$tmp/$1.p50"
	load_is p99_ns | head -n 1 >> "$tmp/$1.p99"
	load_is calls_per_s | tail -n 1 >> "$tmp/$1.flood"
}

for ((i = 0; i < rounds; i++)); do
	for name in idle none hw sw; do
		round $name
	done
done
on p0 rmmod lego_load
on_sh p0 'echo none > /sys/module/lite_rpc/parameters/qos'

us() { awk -v ns="${1:-0}" 'BEGIN { printf "%.0f us", ns / 1000 }'; }
{
	echo "Linux $KERNEL, soft-RoCE, medians of $rounds alternating rounds of $calls calls each."
	echo
	echo "| write-back | demand, half of the calls within | 99 in a hundred | write-backs of 64 KiB per second |"
	echo "|---|---|---|---|"
	for name in idle none hw sw; do
		flood=$(median < "$tmp/$name.flood")
		what="flood, \`qos=$name\`"
		[ $name = idle ] && what=none flood=
		echo "| $what | $(us "$(median < "$tmp/$name.p50")") | $(us "$(median < "$tmp/$name.p99")") | $flood |"
	done
}
