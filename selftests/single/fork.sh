#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Processes with many mappings, and with many relatives.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# the most ranges that an mComponent has of a space
ranges() {
	quick m0 'cat /sys/kernel/debug/lego/mcomp/m?/spaces' |
		awk '$6 ~ /^[0-9]+$/ { if ($6 > n) n = $6 } END { print n + 0 }'
}

on s0 cp "$TOP/build/tools/prog/mappings" /srv/lego/tmp/mappings
mkfifo "$out/in"
"$rack" exec p0 -- lego run -n test -p small -- /tmp/mappings \
	< "$out/in" > "$out/mappings" 2>&1 &
exec 9> "$out/in"
wait_until 60 grep -q ready "$out/mappings"
tap_ok $? "processes with any number of mappings end"
n=$(ranges)
[ "$n" -gt 0 ] && [ "$n" -lt 60 ]
tap_ok $? "a heap that grew page by page is one range at its owner"
tap_note "$n ranges"
exec 9>&-
wait
tap_done
