#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# rack: fresh
# rmmod: refused while in use; after use it leaves nothing, and all load again.
. "$(dirname "$0")/../lib.sh"

in_both "$(lines 2000)"
have_vnode test
unload() {
	on_sh one 'lego vnode rm test
		rmdir /sys/kernel/config/lego/mcomp/m1
		for m in pcomp scomp mcomp gmgr lite_rpc; do
			rmmod $m || exit
		done'
}
# KiB that are free or easily so. MemFree leaves out what lies in each CPU's
# lists, which may be tens of MiB since 6.7.
pages() {
	on_sh one 'echo 3 > /proc/sys/vm/drop_caches; sleep 1
		awk "/^(MemFree|Cached|Buffers|SReclaimable):/ { n += \$2 }
		/^ +count:/ { n += 4 * \$2 }
		END { print n }" /proc/meminfo /proc/zoneinfo'
}

on_sh p0 'lego run -n test -- sleep 60 > /dev/null 2>&1 & sleep 2'
for m in pcomp mcomp gmgr lite_rpc; do
	! on one rmmod $m 2> /dev/null
	tap_ok $? "rmmod $m is refused while a program runs"
done
! quick one 'echo 0 > /proc/sys/kernel/ftrace_enabled' 2> /dev/null
tap_ok $? "ftrace cannot be switched off under it"
on one pkill -x sleep
wait_until 20 none_held
lrun sort /data/lines > /dev/null
tap_ok $? "a program runs after that"

idle() { [ "$(on one cat /sys/module/pcomp/refcnt)" = 0 ]; }
wait_until 20 idle
tap_check "all five unload" unload
tap_is "$(on_sh one 'ls -d /sys/kernel/lego /sys/kernel/config/lego \
	/sys/kernel/debug/lego /dev/lego 2> /dev/null')" "" "no file of theirs is left"
tap_is "$(on_sh one 'grep -E "^(lite|gmgr|mcomp|scomp|pcomp|lego)" \
	/proc/slabinfo')" "" "no slab cache of theirs is left"
before=$(pages)

for i in 1 2; do
	"$rack" load > /dev/null 2>&1
	tap_ok $? "all load again ($i)"
	have_vnode test > /dev/null
	same "and a program's result is right ($i)" sort /data/lines
	wait_until 20 none_held
	wait_until 20 idle
	unload > /dev/null 2>&1
	tap_ok $? "and all unload ($i)"
done
leaked=$((before - $(pages)))
tap_note "memory lost over two rounds: $leaked KiB"
[ $leaked -lt 8192 ]
tap_ok $? "their memory is given back"

quick one 'echo 0 > /proc/sys/kernel/ftrace_enabled'
tap_like "$("$rack" load 2>&1)" 'sysctl kernel.ftrace_enabled=1, then load' \
	"with ftrace switched off pcomp does not load, and says what to do"
quick one 'echo 1 > /proc/sys/kernel/ftrace_enabled
	rmdir /sys/kernel/config/lego/mcomp/m1'
kmemleak one

expect_log 'members fell silent together|a living .* has the name'
on_sh one 'cd /sys/kernel/debug/lego/nodes &&
	echo 1 > m0/fault/drop && echo 1 > s0/fault/drop && rmmod scomp mcomp'
tap_ok $? "all members go, and none of them tells gmgr"
"$rack" load > /dev/null 2>&1
tap_ok $? "they are members when they come again"
tap_done
