#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What fork() costs: a program of 8 pages forks 300 children, one after the other,
# on plain Linux and in a vNode, in the same VM. Rounds alternate; medians, less
# what the program takes without children. The network's part is the requests to
# mComponents, each taken for twice what ib_write_lat -s 64 reports. Prints, never
# fails.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=200
rounds=${ROUNDS:-5}
forks=${FORKS:-300}

median() { # of lines
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

have_vnode test
for n in p0 m0; do
	on $n modprobe -q rdma_ucm
	on $n modprobe -q ib_uverbs
done
on_sh s0 'cp "$1" /srv/lego/tmp/forks && chmod 755 /srv/lego/tmp/forks' \
	"$TOP/build/tools/prog/forks"

# served: requests that the mComponents have answered
served() {
	echo $(($(attr m0 nodes/m0/served) + $(attr m1 nodes/m1/served)))
}

# took COMMAND...: microseconds, and requests to the mComponents
took() {
	local before us
	before=$(served)
	us=$(on_sh p0 'begin=${EPOCHREALTIME/./}
		"$@" > /dev/null
		end=${EPOCHREALTIME/./}
		echo $((end - begin))' "$@")
	echo "$us $(($(served) - before))"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
vnode=(lego run -n test -p p0 -- /tmp/forks 8)
plain=("$TOP/build/tools/prog/forks" 8)
for ((i = 0; i < rounds; i++)); do
	took "${plain[@]}" 0 >> "$tmp/plain0"
	took "${plain[@]}" "$forks" >> "$tmp/plain"
	took "${vnode[@]}" 0 >> "$tmp/vnode0"
	took "${vnode[@]}" "$forks" >> "$tmp/vnode"
done
to=$(attr m0 nodes/m0/addr)
on_sh m0 'ib_write_lat -d rxe0 -s 64 -n 500 -F > /dev/null 2>&1 & sleep 1'
lat=$(on p0 ib_write_lat -d rxe0 -s 64 -n 500 -F "${to%:*}" 2> /dev/null |
	awk '$1 == 64 { print $5 }')
# each PROGRAM COLUMN: of one of its children
each() {
	local with without
	with=$(cut -d ' ' -f "$2" "$tmp/$1" | median)
	without=$(cut -d ' ' -f "$2" "$tmp/${1}0" | median)
	awk -v w="$with" -v o="$without" -v f="$forks" \
		'BEGIN { printf "%.2f", (w - o) / f }'
}

awk -v n="$rounds" -v f="$forks" -v p="$(each plain 1)" \
	-v v="$(each vnode 1)" -v c="$(each vnode 2)" \
	-v l="${lat:-0}" 'BEGIN {
	printf "medians of %d alternating rounds of %d forks\n", n, f
	printf "%-34s %10.0f us\n", "a fork on plain Linux", p
	printf "%-34s %10.0f us\n", "in a vNode", v
	printf "%-34s %10.1f\n", "requests for one", c
	printf "%-34s %10.0f us\n", "their network, 2x ib_write_lat", c * 2 * l
	if (p > 0)
		printf "%-34s %10.2f\n", "less that, beside plain Linux",
		       (v - c * 2 * l) / p
}'
