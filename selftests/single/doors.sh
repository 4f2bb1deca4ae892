#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 180
# Memory is changed, read and written by other ways than the usual system calls.
. "$(dirname "$0")/../lib.sh"

have_vnode test
on_sh one 'cp "$1" /srv/lego/tmp/doors; cp "$1" /tmp/doors' \
	"$TOP/build/tools/prog/doors"

same "remap_file_pages() is for shared memory, as on Linux" /tmp/doors remap
same "shmat() does not take the place of private memory" /tmp/doors shm
same "what io_uring's madvise() gives up is zero" /tmp/doors uring
same "a debugger writes to memory that is read-only" /tmp/doors poke

tap_is "$(lrun /tmp/doors int80 2>&1)" "getpid 1
execve -38
brk -38
munmap -38
mprotect -38
mremap -38
mmap -38
madvise 0
0
x32 execve: Function not implemented" \
	"a 64-bit program's 32-bit system calls do not lead out of the vNode"

got=$(on_sh p0 'cd /tmp; echo core > /proc/sys/kernel/core_pattern
	lego run -n test -p p0 -- sh -c "cd /tmp; exec /tmp/doors core" 2> /dev/null
	f=$(ls /srv/lego/tmp/core*)
	echo $(grep -aoE "[A-Z]+MARK-12345" $f | sort)
	[ "$(du -m $f | cut -f1)" -lt 16 ] && echo small
	rm $f')
tap_is "$got" "DATAMARK-12345 HEAPMARK-12345 MMAPMARK-12345 STACKMARK-12345
small" "a core dump has stack, data and heap, and not what was never touched"

tap_is "$(on_sh p0 'ulimit -s unlimited
	lego run -n test -p p0 -- /tmp/doors deep')" 300 \
	"a program without a limit of its stack has 24 MiB of it"
tap_done
