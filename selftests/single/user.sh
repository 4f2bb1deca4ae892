#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# liblite, and programs that use it, over the loop transport: on the node
# itself and as a vNode's processes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../user.sh"
ON_TIMEOUT=120

have_vnode test
tools=$TOP/build/tools
on_sh one 'cp "$@" /srv/lego/tmp/' "$tools/prog/lite_user" "$tools/lite-kv" \
	"$tools/lite-pingpong"

# both wait most of the time for what takes its time
out=$(mktemp)
trap 'rm -f "$out"' EXIT
lrun /tmp/lite_user loop:vs loop:vc loop:vd loop:vo > "$out" 2>&1 &
user_results "$(on one "$tools/prog/lite_user" \
	loop:us loop:uc loop:ud loop:uo 2>&1)"
wait
user_results "$(cat "$out")" "in a vNode: "

# a server in the vNode, clients here and there
lrun /tmp/lite-kv serve -m 4 -s 65536 > "$out" 2>&1 &
wait_until 30 grep -q loop:kv "$out"
tap_ok $? "a key-value server starts in a vNode"
user_kv one loop:kv 65536
tap_is "$(on_sh one 'echo shared | "$1" put loop:kv k' "$tools/lite-kv" &&
	lrun /tmp/lite-kv get loop:kv k)" shared \
	"a vNode's program gets what another put"
on one "$tools/lite-kv" quit loop:kv
wait
tap_ok $? "the server ends"

lrun /tmp/lite-pingpong > "$out" 2>&1 &
wait_until 30 grep -q loop:pong "$out"
got=$(on one "$tools/lite-pingpong" -c 200 loop:pong)
tap_like "$got" '^echo of 64 bytes, 200 times: min' "ping-pong by messages"
got=$(on one "$tools/lite-pingpong" -q -c 50 -f 65536 loop:pong)
tap_like "$got" '^fetch of 65536 bytes, 50 times' "ping-pong by memory"
wait

# by a copy, as the project may be where only root looks
got=$(on_sh one 'chmod 666 /dev/lite; setpriv --reuid 65534 --clear-groups \
	--inh-caps -all bash -c "ulimit -l 64 && $1 serve -m 1024"
	chmod 600 /dev/lite' /srv/lego/tmp/lite-kv 2>&1)
tap_like "$got" 'no memory for the values' \
	"registered memory counts as locked memory"
user_results "$(on_sh one 'chmod 666 /dev/lite
	setpriv --reuid 65534 --clear-groups --inh-caps -all "$1" locked
	chmod 600 /dev/lite
	echo "pass: all memory is freed"' /srv/lego/tmp/lite_user 2>&1)" \
	"locked memory: "
got=$(on_sh one 'setpriv --reuid 65534 --clear-groups "$1" serve' \
	/srv/lego/tmp/lite-kv 2>&1)
tap_like "$got" '^lite-kv: .*Permission denied' "the device is root's"
got=$(on_sh one 'cd /sys/module/lite_rpc; before=$(cat refcnt)
	exec 3<> /dev/lite; echo $(($(cat refcnt) - before))')
tap_is "$got" 1 "an open device keeps the module"
left=$(on_sh one 'ls /sys/kernel/lego/nodes /sys/kernel/lego/programs |
	grep -c -e lite-user -e kv -e p[io]ng')
tap_is "$left" 0 "no node is left"
tap_done
