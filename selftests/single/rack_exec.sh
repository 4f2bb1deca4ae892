#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rack exec: a command's streams and exit status are as if it ran here.
. "$(dirname "$0")/../lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

on p0 sh -c 'echo out; echo err >&2; exit 7' > "$tmp/out" 2> "$tmp/err"
tap_is $? 7 "the exit status is the command's"
tap_is "$(cat "$tmp/out")" out "standard output is apart"
tap_is "$(cat "$tmp/err")" err "standard error is apart"

on p0 sh -c 'kill -TERM $$'
tap_is $? 143 "a command ended by a signal has the shell's exit status"

on p0 /nonexistent 2> /dev/null
tap_is $? 127 "a command that does not exist has exit status 127"

head -c 3000000 /dev/urandom > "$tmp/data"
want=$(md5sum < "$tmp/data")
tap_is "$("$rack" exec p0 -- md5sum < "$tmp/data")" "$want" \
	"standard input arrives whole"
"$rack" exec p0 -- cat < "$tmp/data" > "$tmp/back"
tap_is "$(md5sum < "$tmp/back")" "$want" "and comes back whole"

"$rack" exec p0 -- true < "$tmp/data"
tap_is $? 0 "a command need not read its standard input"

start=$SECONDS
on p0 sh -c 'sleep 100 & echo started'
[ $((SECONDS - start)) -lt $((20 * slow)) ]
tap_ok $? "a background process keeps nobody waiting"
on p0 pkill sleep

for i in $(seq 1 8); do
	on p0 sh -c "echo $i; sleep 1; exit $i" > "$tmp/$i" &
	pids[i]=$!
done
good=0
for i in $(seq 1 8); do
	wait "${pids[i]}"
	[ $? = "$i" ] && [ "$(cat "$tmp/$i")" = "$i" ] || good=1
done
tap_ok $good "eight commands at once do not mix"

ON_TIMEOUT=1 on p0 sleep 1000 2> "$tmp/err"
tap_is $? 255 "--timeout ends a command"
gone() { ! on p0 pgrep -f 'sleep 1000'; }
wait_until 10 gone
tap_ok $? "and in the node, too"

tap_done
