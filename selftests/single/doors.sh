#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 180
# Memory is changed, read and written by other ways than the usual system calls.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
on_sh one 'cp "$1" /srv/lego/tmp/doors; cp "$1" /tmp/doors' \
	"$TOP/build/tools/prog/doors"

same "remap_file_pages() is for shared memory, as on Linux" /tmp/doors remap
same "shmat() does not take the place of private memory" /tmp/doors shm
same "what io_uring's madvise() gives up is zero" /tmp/doors uring
name="a child has what was read into pinned memory, and its parent keeps it"
out=$(lrun -p small /tmp/doors pinned 2>&1)
if [ $? = 4 ]; then
	tap_skip "$name" "this kernel does not pin memory of a vNode for a ring"
else
	tap_is "$out" "before: aa
io_uring_enter: done
beside little: bb
beside much: bb
at last: bb" "$name"
fi
same "a debugger writes to memory that is read-only" /tmp/doors poke

# a kernel without CONFIG_IA32_EMULATION, such as the debug kernel, has no such
# doors, and no 32-bit programs
ia32() { # NAME: is it there?
	on p0 grep -q __ia32_compat_sys_ioctl /proc/kallsyms && return
	tap_skip "$1" "this kernel runs nothing of 32 bits"
	return 1
}
name="a 64-bit program's 32-bit system calls do not lead out of the vNode"
ia32 "$name" && tap_is "$(lrun /tmp/doors int80 2>&1)" "getpid 1
execve -38
brk -38
munmap -38
mprotect -38
mremap -38
mmap -38
madvise 0
0
x32 execve: Function not implemented" "$name"

got=$(on_sh p0 'cd /tmp; echo core > /proc/sys/kernel/core_pattern
	lego run -n test -p p0 -- sh -c "cd /tmp; exec /tmp/doors core" 2> /dev/null
	f=$(ls /srv/lego/tmp/core*)
	echo $(LC_ALL=C grep -aoE "[A-Z]+MARK-12345" $f | sort)
	[ "$(du -m $f | cut -f1)" -lt 8 ] && echo small
	rm $f')
tap_is "$got" "DATAMARK-12345 HEAPMARK-12345 MMAPMARK-12345 STACKMARK-12345
small" "a core dump has stack, data and heap, and not what was never touched"

# a 32-bit program, which is ended; then a process with the same number
expect_log 'is ended: 32-bit programs'
got=$(on_sh p0 '{
		nul() { head -c "$1" /dev/zero; }
		printf "\177ELF\1\1\1"; nul 9; printf "\2\0\3\0\1\0\0\0"
		printf "\124\200\4\10\64"; nul 11; printf "\64\0\40\0\1"; nul 7
		printf "\1"; nul 7; printf "\0\200\4\10\0\200\4\10"
		printf "\130\0\0\0\130\0\0\0\5\0\0\0\0\20\0\0\353\376"; nul 2
	} > /srv/lego/tmp/elf32 && chmod +x /srv/lego/tmp/elf32
	run() { lego run -n test -p p0 -- "$@" 2>&1; }
	dies() { run sh -c "echo \$\$; exec /tmp/elf32"; }
	fails_as() { # PID
		echo $(($1 - 2)) > /proc/sys/kernel/ns_last_pid
		run sh -c "echo \$\$; exit 7"
	}
	export -f run dies fails_as
	apart() { unshare -pf --mount-proc bash -c "$1"; }
	{ read -r pid; read -r why; } < <(dies)
	echo "$why"
	{ read -r _; read -r why; } < <(apart dies)
	echo "$why"
	apart "fails_as $pid" | sed "s/^$pid\$/its pid/"' 2> /dev/null)
why="lego: sh: 32-bit programs do not run in a vNode (error -8)"
name="who is ended is told why, and not who has its pid later"
ia32 "$name" && tap_is "$got" "$why
$why
its pid" "$name"
tap_is "$(on_sh p0 'ulimit -s unlimited
	lego run -n test -p p0 -- /tmp/doors deep')" 300 \
	"a program without a limit of its stack has 24 MiB of it"
tap_done
