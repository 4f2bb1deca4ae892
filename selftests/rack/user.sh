#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Programs that use liblite, over RDMA: a vNode's process serves another
# node's program.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../user.sh"
ON_TIMEOUT=120

have_vnode test
tools=$TOP/build/tools
# free_addrs NODE COUNT: so many at which no component of it listens
free_addrs() {
	quick "$1" 'port=7480 n=$2
		while [ $n -gt 0 ]; do
			grep -q ":$port\$" /sys/kernel/lego/nodes/*/addr || {
				echo "$1:$port"
				n=$((n - 1))
			}
			port=$((port + 1))
		done' "$(ip_of "$1")" "$2"
}
mapfile -t addrs < <(free_addrs p0 4)
p0=${addrs[0]}
m0=$(free_addrs m0 1)
on_sh s0 'cp "$@" /srv/lego/tmp/' "$tools/lite-kv" "$tools/lite-pingpong"

# both ends in one kernel, by the device all the same
quick p0 'echo N > /sys/module/lite_rpc/parameters/loop_local'
user_results "$(on p0 "$tools/prog/lite_user" "${addrs[@]}" 2>&1)"
quick p0 'echo Y > /sys/module/lite_rpc/parameters/loop_local'

out=$(mktemp)
trap 'rm -f "$out"' EXIT
lrun /tmp/lite-kv serve -a "$p0" -m 4 -s 65536 > "$out" 2>&1 &
wait_until 30 grep -q "$p0" "$out"
tap_ok $? "a key-value server starts in a vNode"
for i in 1 2; do
	tap_check "another node's program puts a value" on_sh m0 \
		'seq 9000 | "$1" -a "$2" -s 65536 put "$3" "$4"' \
		"$tools/lite-kv" "$m0" "$p0" "key $i"
done
tap_is "$(on_sh m0 '"$1" -a "$2" -s 65536 get "$3" "key 2" | md5sum' \
	"$tools/lite-kv" "$m0" "$p0")" "$(seq 9000 | md5sum)" \
	"and gets it as it was"
on m0 "$tools/lite-kv" -a "$m0" quit "$p0"
wait
tap_ok $? "the server ends"

lrun /tmp/lite-pingpong -a "$p0" > "$out" 2>&1 &
wait_until 30 grep -q "$p0" "$out"
got=$(on m0 "$tools/lite-pingpong" -a "$m0" -c 200 "$p0" 2>&1)
tap_like "$got" '^echo of 64 bytes, 200 times: min' "ping-pong by messages"
tap_note "$got"
got=$(on m0 "$tools/lite-pingpong" -a "$m0" -q -c 50 -f 65536 \
	"$p0" 2>&1)
tap_like "$got" '^fetch of 65536 bytes, 50 times' "ping-pong by memory"
tap_note "$got"
wait
tap_done
