#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vNodes and lego run: what a user can do wrong gets a clear error, soon.
. "$(dirname "$0")/../lib.sh"

have_vnode test
# wrong STATUS REGEX NAME COMMAND...: fails so
wrong() {
	local status=$1 regex=$2 name=$3 out got start=$SECONDS
	shift 3
	out=$(on p0 "$@" 2>&1)
	got=$?
	tap_is $got "$status" "$name: exit status $status"
	tap_like "$out" "$regex" "$name: and the reason"
	[ $((SECONDS - start)) -le $((15 * slow)) ]
	tap_ok $? "$name: and soon"
}
wrong 125 'nobody' "an unknown vNode" lego run -p p0 -n nobody -- true
wrong 1 'test.*already' "a second vNode of the same name" \
	lego vnode create test
wrong 127 'no-such-program' "a program that does not exist" \
	lego run -p p0 -n test -- no-such-program
wrong 126 '/etc/passwd' "a program that is not executable" \
	lego run -p p0 -n test -- /etc/passwd
wrong 125 'retry_s=' "a mount option that there is none" \
	lego run -p p0 -n test -o retries=3 -- true
wrong 1 'nobody' "removing an unknown vNode" lego vnode rm nobody
out=$(lrun sh -c 'cat /no/such/file; exit 5' 2>&1)
tap_is $? 5 "a program's own exit status comes through"
tap_like "$out" 'No such file' "and its standard error"
tap_is "$(echo hello | "$rack" exec p0 -- lego run -p p0 -n test -- cat)" hello \
	"and its standard input and output"
lrun sh -c 'kill -SEGV $$' > /dev/null 2>&1
tap_is $? 139 "a signal that ends the program ends lego run"
on_sh p0 'lego vnode create busy && lego run -p p0 -n busy -- sleep 60' &
wait_until 20 on_sh p0 'pgrep -x sleep'
tap_like "$(on p0 lego vnode list)" '^busy.* 1\b' "its processes are counted"
wrong 1 "processes still run in vNode .busy." "removing a vNode in use" lego vnode rm busy
on p0 pkill -x sleep
wait
tap_check "when they have ended it is removed" wait_until 10 \
	on p0 lego vnode rm busy
tap_check "a vNode is made and removed" \
	on_sh g0 'lego vnode create brief && lego vnode rm brief'
tap_done
