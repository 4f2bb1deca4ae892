#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# rack: fresh
# Keys: given and changed while programs run; who has none, a wrong one, or only
# what it overheard gets nowhere, soon, is told why, and nobody else suffers.
. "$(dirname "$0")/../lib.sh"

expect_log 'refused .* it |demands a key|has no key|its key .* is another'
nodes=(g0 p0 m0 m1 s0)
param=/sys/module/lite_rpc/parameters/key

# add_key NODE NAME SECRET
add_key() {
	quick "$1" 'printf %s "$2" | keyctl padd logon "lego:$1" %:.lego' \
		"$2" "$3" > /dev/null
}
# drop_key NODE NAME
drop_key() {
	quick "$1" 'id=$(keyctl list %:.lego |
		sed -n "s/^ *\([0-9]*\): .* logon: lego:$1$/\1/p")
		keyctl unlink $id %:.lego' "$2"
}
use_key() {
	quick "$1" "echo '$2' > $param"
}
# everywhere COMMAND ARGUMENT...: for each node
everywhere() {
	local n
	for n in "${nodes[@]}"; do
		"$1" "$n" "${@:2}" || return
	done
}
# connects FROM TO HOW: a new connection; prints the error that comes of it
connects() {
	quick "$1" 'echo "$2 connect=$3" > /sys/kernel/debug/lego/nodes/$1/inject' \
		"$1" "$(attr "$2" "nodes/$2/addr")" "$3" 2>&1
}
# component ARGUMENT...: a further mComponent x on m1's node; what the log says
component() {
	on_sh m1 'cd /sys/kernel/config/lego/mcomp
		[ -d x ] || mkdir x; cd x; dmesg -C
		echo 10.77.0.21:7490 > addr; echo 10.77.0.1 > gmgr
		echo 16 > mem_mb; timeout 60 sh -c "echo 1 > enable"; s=$?
		dmesg | grep lite_rpc; exit $s' 2>&1
}
failures() {
	attr "$1" "nodes/$1/auth_failures"
}
# seldom NODE: seconds between two lines about refusals, the least
seldom() {
	quick "$1" dmesg | awk '/refused .* it .* refused so far/ {
			gsub(/[][]/, " ")
			if (n++ && (n == 2 || $1 - last < least))
				least = $1 - last
			last = $1
		}
		END { print (n > 1 ? int(least) : "only " n + 0) }'
}
member_up() {
	[ "$(attr g0 "gmgr/g0/members/$1/state")" = up ]
}

have_vnode test
in_both "$(lines 20000)"
out=$(mktemp)
crowd=$(mktemp)
trap 'rm -f "$out" "$crowd"' EXIT
want=$(on_sh p0 'echo on; for i in 1 2 3 4; do sort -r /data/lines; done' |
	md5sum)
# start: a program that runs meanwhile, and has begun to with begun; finish NAME:
# it was not disturbed
start() {
	lrun sh -c 'echo on; for i in 1 2 3 4; do sort -r /data/lines; done' \
		> "$out" &
	program=$!
}
begun() {
	wait_until 60 grep -q on "$out"
}
refused_there() {
	[ $(($(failures m0) + $(failures m1))) -gt 0 ]
}
finish() {
	wait $program
	tap_is "$?" 0 "$1"
	tap_is "$(md5sum < "$out")" "$want" "and its result is right"
}

like=$(on_sh m0 'dmesg | grep -c "no keys: whoever"')
tap_is "$like" 1 "without a key, the log says what that means, once"

# A key for a rack that runs. Till all have it and use it some are refused: p0,
# which has never called the mComponents, can not begin a program there.
for n in m0 m1; do
	add_key $n one secret-of-sixteen-bytes
done
start
wait_until 20 refused_there
tap_ok $? "who proves nothing is refused where there is a key"
tap_is "$(wc -c < "$out")" 0 "a program that needs a connection waits for it"
for n in g0 p0 s0; do
	add_key $n one secret-of-sixteen-bytes
done
tap_ok $? "keys are added while a program runs"
everywhere use_key one
finish "that program goes on"
start
begun
tap_check "a connection is made with them" connects p0 m0 right
finish "the program goes on"
on_sh m1 'rmmod mcomp'
tap_check "a component with the key comes" "$rack" load m1
tap_check "it is a member" wait_until 10 member_up m1
before=$(failures g0),$(failures m0)
same "a program runs" sort /data/lines
tap_is "$(failures g0),$(failures m0)" "$before" "nobody is refused any more"

# Who has none, or a wrong one: m1's kernel, now with the component x alone.
on_sh m1 'rmmod mcomp && insmod "$1"' "$TOP/build/$KERNEL/mcomp/mcomp.ko"
start
begun
begin=$SECONDS
use_key m1 ''
tap_like "$(component)" 'x: .*demands a key.*key=' \
	"a component that names no key does not come, and is told why"
use_key m1 two
tap_like "$(component)" "x: .*no key in common.*key=" \
	"nor one whose key= names a key that is not there"
add_key m1 two another-of-sixteen-bytes
tap_like "$(component)" "x: .*no key in common.*key=" \
	"nor one with a key that the others have not"
drop_key m1 one
add_key m1 one wrong-secret-of-it-all
use_key m1 one
tap_like "$(component)" "x: .*different keys.*keyring" \
	"nor one with another key of that name"
add_key m1 short 0123456789abcde
use_key m1 short
tap_like "$(component)" "x: .*no key in common.*key=" \
	"nor one with a short one"
[ $((SECONDS - begin)) -le $((30 * slow)) ]
tap_ok $? "all that soon"
tap_is "$(on_sh m1 'cat /sys/kernel/config/lego/mcomp/x/enable')" 0 \
	"and none of them is there"
[ "$(failures g0)" -ge 3 ]
tap_ok $? "gmgr has counted them"
finish "the program that ran meanwhile"

# What is said wrongly on purpose.
start
begun
before=$(failures m0)
tap_check "a right handshake" connects p0 m0 right
tap_like "$(connects p0 m0 replay)" 'rejected' "what was recorded proves nothing"
tap_like "$(connects p0 m0 garbage)" 'rejected' "nor does a MAC of nothing"
tap_like "$(connects p0 m0 short)" 'No route|refused' "nor half a message"
tap_like "$(connects p0 m0 early)" 'No route|refused' "a request is no proof"
tap_like "$(connects p0 m0 write)" 'No route|refused' "nothing is written before it"
tap_like "$(connects p0 m0 silent)" 'timed out' "nor is silence one"
# half-open ones stay for 3 s: a slow machine may not come to 16 before one goes
for _ in 1 2 3 4 5; do
	on p0 dmesg -C
	connects p0 m0 crowd > "$crowd" &
	sleep 2
	connects g0 m0 right
	others=$?
	wait $!
	grep -q refused "$crowd" && break
done
tap_is "$others" 0 \
	"while it has as many half-open ones as it may have, others get in"
tap_like "$(cat "$crowd")" 'refused' "it gets no more of them"
tap_like "$(on p0 dmesg)" ' 1[6-9] connections with .* that prove nothing' \
	"and these are 16, but for those whose time was over meanwhile"
tap_like "$(connects p0 m0 version)" 'Protocol not supported' \
	"another version is refused"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	connects p0 m0 garbage > /dev/null
done
[ "$(failures m0)" -ge $((before + 15)) ]
tap_ok $? "they are counted"
least=$(seldom m0)
[ "$least" = "only 1" ] || [ "$least" -ge 59 ]
tap_ok $? "and logged once a minute at most"
tap_is "$(attr m0 nodes/m0/violations)" 0 "none of them was taken for a message"
silent() {
	! on m0 busybox grep -q unproved /sys/kernel/debug/lego/nodes/m0/links
}
wait_until 10 silent
tap_ok $? "no half-open connection stays"
tap_check "and who does right gets in" connects p0 m0 right
finish "the program that ran meanwhile"
before=$(failures m0)
quick m0 'echo 1 > /sys/kernel/debug/lego/nodes/m0/fault/corrupt'
got=$(connects p0 m0 right)
quick m0 'echo 0 > /sys/kernel/debug/lego/nodes/m0/fault/corrupt'
tap_like "$got" 'rejected' "a server that does not prove the key is not used"
tap_is "$(failures m0)" "$before" "and that is its caller's doing"

# Another key, while a program runs.
drop_key m1 short
drop_key m1 two
drop_key m1 one
add_key m1 one secret-of-sixteen-bytes
use_key m1 one
start
begun
# p0's connections but for the one that is made here, and how often they were lost
m0=$(attr m0 nodes/m0/addr)
resets() {
	on p0 busybox awk -v m0="$m0" '
		$1 == "out" && ($2 != m0 || $3 != "control") { n++; r += $11 }
		END { print n + 0, r + 0 }' /sys/kernel/debug/lego/nodes/p0/links
}
before=$(resets)
everywhere add_key new secret-of-the-next-year
everywhere use_key new
tap_check "with a new key connections are made" connects p0 m0 right
use_key p0 one
tap_check "with the old one, too" connects p0 m0 right
everywhere drop_key one
add_key p0 one secret-of-sixteen-bytes
tap_like "$(connects p0 m0 right)" 'Required key' \
	"but not when it is gone there"
use_key p0 new
tap_check "with the new one they still are" connects p0 m0 right
after=$(resets)
# one that nobody needs any more may have gone meanwhile
[ "${before% *}" -gt 0 ] && [ "${after% *}" -gt 0 ] &&
	[ "${after#* }" -le "${before#* }" ]
tap_ok $? "no connection that there was is lost by that"
tap_note "connections, resets: $before before, $after after"
"$rack" net m0 down
sleep 4
"$rack" net m0 up
finish "a program lives through all that, and a lost connection"
wait_until 30 member_up m0
tap_ok $? "a member that was cut off comes back with the new key"
tap_check "the component that was refused comes with the new key" component
on_sh m1 'rmdir /sys/kernel/config/lego/mcomp/x && rmmod mcomp' &&
	"$rack" load m1
tap_ok $? "and so does the one of before"

# A rack without keys again.
everywhere use_key ''
everywhere drop_key new
drop_key p0 one
tap_check "without keys all may connect" connects p0 m0 right
tap_done
