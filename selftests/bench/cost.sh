#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a miss and a first touch cost, each beside its peer in the same rack and
# run: a miss (clean victim) beside ib_read_lat -s 4096 between the same two
# VMs, a first touch beside an anonymous page fault on plain Linux in the same
# VM. Rounds alternate; medians of the rounds' medians. Prints, never fails.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=200
rounds=${ROUNDS:-5}
touch=$TOP/build/tools/prog/touch

median() { # of lines
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

have_vnode test
have_pcomp bench 4
for n in p0 m0; do
	on $n modprobe -q rdma_ucm ib_uverbs
	on $n modprobe -q ib_uverbs
done
on_sh s0 'cp "$1" /srv/lego/tmp/touch && chmod 755 /srv/lego/tmp/touch' "$touch"

read_lat() {
	on_sh m0 'ib_read_lat -d rxe0 -s 4096 -n 500 -F > /dev/null 2>&1 &
		sleep 1'
	on p0 ib_read_lat -d rxe0 -s 4096 -n 500 -F "$(on m0 hostname -I |
		tr ' ' '\n' | grep '^10\.77\.' | head -n 1)" 2> /dev/null |
		awk '$1 == 4096 { print $5 * 1000 }'
}

spin() { # MICROSECONDS
	on_sh p0 'echo "$1" > /sys/module/lite_rpc/parameters/spin_demand_us' \
		"$1"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for ((i = 0; i < rounds; i++)); do
	read_lat >> "$tmp/read"
	# as it is by default: it polls, as ib_read_lat does; and sleeping
	on p0 lego run -n test -p bench -- /tmp/touch miss 3072 1 2> /dev/null |
		cut -d ' ' -f 1 >> "$tmp/miss"
	spin 0
	on p0 lego run -n test -p bench -- /tmp/touch miss 3072 1 2> /dev/null |
		cut -d ' ' -f 1 >> "$tmp/sleep"
	spin 1000
	on p0 "$touch" first 2000 4 2> /dev/null |
		cut -d ' ' -f 1 >> "$tmp/fault"
	# p0's ExCache has room for all of it: nothing is evicted
	on p0 lego run -n test -p p0 -- /tmp/touch first 2000 4 2> /dev/null |
		cut -d ' ' -f 1 >> "$tmp/first"
done
for f in read miss sleep fault first; do
	declare "$f=$(median < "$tmp/$f")"
done
awk -v a="${miss:-0}" -v b="${read:-0}" -v c="${first:-0}" -v d="${fault:-0}" \
	-v p="${sleep:-0}" -v n="$rounds" 'BEGIN {
	printf "medians of %d alternating rounds\n", n
	printf "%-34s %10.1f us\n", "ib_read_lat -s 4096", b / 1000
	printf "%-34s %10.1f us   ratio %.2f (at most 1.5)\n",
		"ExCache miss, clean victim", a / 1000, b ? a / b : 0
	printf "%-34s %10.1f us   ratio %.2f\n",
		"  the same, spin_demand_us=0", p / 1000, b ? p / b : 0
	printf "%-34s %10.1f us\n",
		"anonymous page fault, plain Linux", d / 1000
	printf "%-34s %10.1f us   ratio %.2f (at most 1.3)\n",
		"first touch in a vNode", c / 1000, d ? c / d : 0
}'
