#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 1000 processes that are one's children write to their copies of its memory, in
# an ExCache of 8 MiB; and fork costs about what it costs on plain Linux.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp eight 8
quick s0 'mkdir -p /srv/lego/tmp; cp "$@" /srv/lego/tmp/' \
	"$TOP"/build/tools/prog/{relatives,forks}
ON_TIMEOUT=600
tap_is "$(lrun -p eight /tmp/relatives many 2>&1)" "many: ok" \
	"1000 children write to their copies in 8 MiB"
wait_until 60 none_held
tap_is "$(held)" 0 "and leave nothing"

# ticks of system time that 300 forks of a process with 16 pages take
ticks() {
	on_sh p0 'cd /; t=$(TIMEFORMAT=%S; { time "$@" > /dev/null; } 2>&1)
		echo "$(tr -d . <<< "$t")"' "$@"
}

plain=$(ticks /srv/lego/tmp/forks 16 300)
ours=$(ticks lego run -n test -p p0 -- /tmp/forks 16 300)
tap_note "system time of 300 forks: $plain ms on plain Linux, $ours ms in a vNode"
kmemleak one
tap_done
