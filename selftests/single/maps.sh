#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 180
# The system calls that change an address space: in a vNode as on plain Linux.
# prog/maps.c does it all in one run; the lines of each case are compared.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
quick p0 'cp $1/maps /tmp/maps' "$TOP/build/tools/prog"
quick s0 'mkdir -p /srv/lego/tmp; cp $1/maps /srv/lego/tmp/maps' \
	"$TOP/build/tools/prog"
plain=$(on p0 /tmp/maps 2>&1)
vnode=$(lrun -p small /tmp/maps 2>&1)

# as_plain CASE BEHAVIOUR
as_plain() {
	tap_is "$(grep "^$1: " <<< "$vnode")" "$(grep "^$1: " <<< "$plain")" \
		"$2"
}

as_plain noreplace "MAP_FIXED_NOREPLACE and brk leave what is there"
as_plain refused "a refused MAP_FIXED leaves what was there"
as_plain atomic "other threads see the old mapping or the new one, never none"
as_plain two_vmas "mremap() of two mappings changes nothing"
as_plain flags "what madvise() and mlock() said moves with the memory"
as_plain move "memory that moves has what it had, and a child has it, too"
as_plain debugger "what a debugger wrote stays when mprotect() makes it writable"
as_plain poked "memory that is being moved may be written by a debugger"
as_plain changing_file "untouched pages of a private mapping show the file"
as_plain limits "lengths, flags and limits are checked before anything changes"
as_plain end "the program gets to its end"
tap_is "$(tail -n 1 <<< "$plain")" "end: reached" "on plain Linux, too"

tap_is "$(on_sh p0 'lego run -n test -p small -- /tmp/maps hog 40 > /tmp/hog.out &
	until grep -q ready /tmp/hog.out; do busybox usleep 100000; done
	for i in 1 2 3 4 5; do
		lego run -n test -p small -- /bin/true 2>&1 || echo "ended: $?"
	done
	pkill -9 -x maps
	wait' 2> /dev/null)" "" "programs start while another presses on ExCache"
tap_done
