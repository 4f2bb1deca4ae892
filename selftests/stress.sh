# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For stress.sh of both groups: the load generator, and what must be true of
# each of its runs. Sourced after lib.sh.

load_dir=/sys/kernel/debug/lego/load
load_out=$(mktemp)
# how much later than its time a call may end: 64 callers may have to wait that
# long for a processor where other programs run
slack=$((10000 * slow))
trap 'rm -f "$load_out"' EXIT

# load_insmod NODE PARAMETER...: the generator, there. One of its faults is on, but
# never hits: what looks for faults is patched into the code by the first switch
# that is on, and an emulated processor that is just there may die of it.
load_insmod() {
	on "$1" insmod "$TOP/build/$KERNEL/lego_load/lego_load.ko" "${@:2}" &&
		fault "$1" load fail_alloc 4294967295
}

# load_run NODE ADDR WORDS...: call; the result is in $load_out
load_run() {
	local node=$1
	shift
	ON_TIMEOUT=120 quick "$node" 'cd "$1" && shift && echo "$*" > run &&
		cat result' $load_dir "$@" > "$load_out" 2>&1
}

# load_is KEY: that number of the last run
load_is() {
	sed -n "s/.*\"$1\": \([0-9][0-9]*\).*/\1/p" "$load_out"
}

# load_good NAME: every call of the last run ended once, in time, with the right
# bytes, and none came to memory that had been given back
load_good() {
	local key got=
	for key in late lost twice bad_bytes stray_bytes; do
		got+="$key=$(load_is $key) "
	done
	tap_is "$got" "late=0 lost=0 twice=0 bad_bytes=0 stray_bytes=0 " \
		"$1: each call ends in time, once, with its own bytes"
	[ "$(load_is ok)" -gt 0 ]
	tap_ok $? "$1: there are some that succeed"
	! grep -q '"errors".*"71"' "$load_out"
	tap_ok $? "$1: a bad message ends no other call but by a reset"
	tap_note "$(cat "$load_out")"
}

# load_clean NAME: and without any error
load_clean() {
	load_good "$1"
	tap_is "$(load_is ok)" "$(load_is calls)" "$1: none fails"
}

# conns_of NODE COMPONENT: connections that the generator has there, still
conns_of() {
	quick "$1" 'grep -c "^in \(load\|loop:load\) " "$1"; true' \
		"/sys/kernel/debug/lego/nodes/$2/links"
}

no_conns() {
	[ "$(conns_of "$@")" = 0 ]
}

# load_link NODE ADDR WHAT: of the generator's connection to ADDR, for demand
load_link() {
	local field
	case $3 in
	state) field=5 ;;
	errors) field=7 ;;
	timeouts) field=8 ;;
	outstanding) field=9 ;;
	resets) field=11 ;;
	p50_ns) field=13 ;;
	lost) field=18 ;;
	sent_bytes) field=19 ;;
	heartbeats) field=21 ;;
	stalls) field=22 ;;
	credits) field=24 ;;
	esac
	quick "$1" 'awk -v peer="$1" -v f="$2" \
		"\$1 == \"out\" && \$2 == peer && \$3 == \"demand\" { print \$f }" \
		/sys/kernel/debug/lego/nodes/load/links' "$2" $field
}

# load_link_is NODE ADDR WHAT VALUE
load_link_is() {
	[ "$(load_link "$1" "$2" "$3")" = "$4" ]
}

# beat NODE MS MISSES: how often its kernel asks silent peers, and how long
beat() {
	quick "$1" 'cd /sys/module/lite_rpc/parameters &&
		echo $1 > heartbeat_ms && echo $2 > heartbeat_misses' "${@:2}"
}

# late_alone NODE ADDR: of 64 callers the handler of one takes longer than calls
# may; nobody else loses a call by that
late_alone() {
	load_run "$1" "$2" calls=1 hold=1 timeout_ms=$((10000 * slow))
	resets=$(load_link "$1" "$2" resets)
	load_run "$1" "$2" callers=64 op=1 work_us=50000 out=4096 hold=1 \
		slow_us=$((2000000 * slow + 1500000)) \
		ms=$((2000 * slow + 2500)) timeout_ms=$((2000 * slow)) \
		slack_ms=$slack
	# and no 104, of a connection that was reset
	sed -n 's/.*"errors": {\(.*\)},.*/\1/p' "$load_out" |
		grep -qx '"110": [0-9]*'
}

# one_late NODE ADDR: the same, and what must be true after it
one_late() {
	local resets try

	# a machine that stood still for a second did not answer the cancel
	for try in 1 2 3; do
		late_alone "$@" && break
		tap_note "try $try: $(cat "$load_out")"
	done
	load_good "one call of 64 times out"
	tap_like "$(sed -n 's/.*"errors": {\(.*\)},.*/\1/p' "$load_out")" \
		'^"110": [0-9]+$' "the others that are under way get their answers"
	wait_until 10 load_link_is "$1" "$2" credits 64
	tap_ok $? "its slot is free when the handler has ended"
	tap_is "$(load_link "$1" "$2" state) $(load_link "$1" "$2" resets)" \
		"up $resets" "the connection is the same"
}

# forgotten NODE COMPONENT: soon it has no connection of the generator's any more
forgotten() {
	wait_until 10 no_conns "$@"
	tap_ok $? "after that the peer has forgotten the caller"
}

# given_back NODE KIB NAME: it has as much memory free as it had
given_back() {
	local lost=$(($2 - $(kib_free "$1")))

	tap_note "memory lost: $lost KiB"
	[ $lost -lt $((4096 * slow)) ]
	tap_ok $? "$3 memory is given back"
}

# load_rmmod NODE...: the generators end
load_rmmod() {
	local node

	for node; do
		tap_check "the generator unloads" on "$node" busybox rmmod lego_load
	done
}

# kib_free NODE: memory that is free or easily so; MemFree leaves out what lies
# in each CPU's lists
kib_free() {
	quick "$1" 'echo 3 > /proc/sys/vm/drop_caches; sleep 1
		awk "/^(MemFree|Cached|Buffers|SReclaimable):/ { n += \$2 }
		/^ +count:/ { n += 4 * \$2 }
		END { print n }" /proc/meminfo /proc/zoneinfo'
}

# fault NODE COMPONENT SWITCH VALUE
fault() {
	quick "$1" 'echo "$3" > "/sys/kernel/debug/lego/nodes/$1/fault/$2"' \
		"${@:2}"
}

# violated BEFORE NODE ADDR WORDS...: soon the generator there has found what no
# peer may send; a slow machine needs more than a run to send a hundred messages
violated() {
	local i

	for ((i = 0; i < 8; i++)); do
		[ "$(attr "$2" nodes/load/violations)" -le "$1" ] || return 0
		load_run "${@:2}"
	done
	return 1
}

# faults NODE ADDR NODE2 [MS]: each fault at the caller "load" on NODE, and at the
# component "sink" on NODE2, which has that address; for so long, which is each
# call's time, too (1000)
faults() {
	local ms=$((${4:-1000} * slow)) what at n who bad hit calls
	local all="callers=64 timeout_ms=$ms slack_ms=$slack"

	for what in drop duplicate corrupt fail_qp fail_alloc; do
		for at in "$1 load" "$3 sink"; do
			# who calls asks for memory when it connects: see below
			[ "$what $at" = "fail_alloc $1 load" ] && continue
			read -r n who <<< "$at"
			hit=0
			fault "$n" "$who" $what 97
			load_run "$1" "$2" $all ms=$ms out=65536
			load_good "$what at $who, 64 KiB"
			hit=$((hit + $(load_is calls) - $(load_is ok)))
			load_run "$1" "$2" $all ms=$ms size=200 mode=1
			load_good "$what at $who, no bulk"
			hit=$((hit + $(load_is calls) - $(load_is ok)))
			bad=$(attr "$1" nodes/load/violations)
			load_run "$1" "$2" $all ms=$ms mode=2
			load_good "$what at $who, one-way"
			case $what in
			drop | corrupt)
				[ $hit -gt 0 ]
				tap_ok $? "$what at $who: calls fail by it"
				;;
			fail_qp) # replies that are on their way may still come
				load_run "$1" "$2" $all calls=400 hold=1 size=200
				[ "$(load_link "$1" "$2" resets)" -gt 0 ]
				tap_ok $? "$what at $who: the connection breaks by it"
				;;
			esac
			if [ "$what $who" = "corrupt sink" ]; then
				tap_check "a credit for another request is none" \
					violated "$bad" "$1" "$2" $all ms=$ms mode=2
			fi
			fault "$n" "$who" $what 0
		done
	done
	# a request that comes twice; its second bulk reply would come too late
	fault "$1" load duplicate 7
	bad=$(attr "$3" nodes/sink/served)
	load_run "$1" "$2" $all ms=$((1000 * slow)) callers=8 out=65536 timeout_ms=$((10000 * slow))
	load_good "each seventh request sent twice"
	calls=$(load_is calls)
	bad=$(($(attr "$3" nodes/sink/served) - bad))
	# one in seven would be 14%; what the run before left over is less
	[ $((bad * 100)) -le $((calls * 105 + 400)) ]
	tap_ok $? "none is executed twice"
	tap_note "$calls calls, $bad served"
	fault "$1" load duplicate 0
	# each second connect fails, and so does each second that is asked for
	for at in "$1 load" "$3 sink"; do
		read -r n who <<< "$at"
		fault "$n" "$who" fail_alloc 2
		load_run "$1" "$2" $all ms=$ms size=200
		load_good "each second connect without memory at $who"
		fault "$n" "$who" fail_alloc 4294967295
	done
	# credits that do not come back
	fault "$3" sink drop 3
	load_run "$1" "$2" $all ms=$((7000 * slow)) mode=2
	load_good "each third credit lost"
	[ "$(load_is ok)" -gt 200 ]
	tap_ok $? "the link does not stay without credits"
	fault "$3" sink drop 0
	# later than most time-outs, and more callers than slots
	fault "$3" sink delay_ms $((ms * 13 / 10))
	load_run "$1" "$2" $all ms=$ms out=4096
	load_good "late replies"
	load_run "$1" "$2" $all ms=$ms callers=200
	load_good "late replies, three callers for a slot"
	fault "$3" sink delay_ms 0
	load_run "$1" "$2" $all ms=$ms out=4096 timeout_ms=$((10000 * slow))
	load_clean "no fault any more"
}

# many NODE ADDR: more calls than there are slots, by far
many() {
	load_run "$1" "$2" callers=1000 mode=3 calls=20000 \
		timeout_ms=$((20000 * slow)) slack_ms=$slack
	load_clean "a thousand calls under way"
	tap_is "$(load_is ok)" 20000 "all that were asked for"
}

# waiting NODE ADDR NODE2: calls that wait for a slot while the connection breaks
waiting() {
	local lost

	fault "$3" sink fail_qp 499
	load_run "$1" "$2" callers=300 mode=3 calls=3000 hold=1 \
		timeout_ms=$((20000 * slow)) slack_ms=$slack
	fault "$3" sink fail_qp 0
	load_good "the connection breaks while calls wait"
	lost=$(($(load_is calls) - $(load_is ok)))
	[ $lost -gt 0 ] &&
		[ $lost -le $((64 * $(load_link "$1" "$2" resets))) ]
	tap_ok $? "only those are lost that were sent"
	tap_note "$lost lost"
	load_run "$1" "$2" calls=1 timeout_ms=$((10000 * slow))
}
