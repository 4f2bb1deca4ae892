#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# Classes of traffic: each has a connection of its own, when it is used. Workers:
# so many, where cores= says, fair between peers and classes, never stuck. The
# policies of qos=.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../stress.sh"

load_insmod one sink=loop:sink || exit
quick="timeout_ms=$((10000 * slow))"

# link CLASS: the generator's to the sink, as debugfs shows it
link() {
	quick one 'grep "^out loop:sink $1 " \
		/sys/kernel/debug/lego/nodes/load/links' "$1"
}

class=0
for name in control demand prefetch writeback; do
	load_run one loop:sink calls=10 class=$class hold=1 $quick
	tap_is "$(load_is ok)" 10 "calls of class $name end well"
	tap_like "$(link $name)" "^out loop:sink $name loop up 10 " \
		"they have a connection of their own"
	[ $class = 0 ] && tap_is "$(link prefetch)" "" \
		"a class that is not used has none"
	class=$((class + 1))
done
load_run one loop:sink calls=1 class=4 $quick
tap_like "$(cat "$load_out")" 'out of range' "there is no fifth class"

# Workers.
param() { # NAME VALUE
	quick one 'echo "$2" > "/sys/module/lite_rpc/parameters/$1"' "$@"
}
pool() { # KEY: how it is with the workers
	on one busybox sed -n "s/^$1 //p" /sys/kernel/debug/lego/workers
}

# work WORDS...: requests whose handlers sleep
work() {
	load_run one loop:sink op=1 $quick "$@"
}

param workers 3
before=$(pool stalls)
work callers=64 calls=500 work_us=3000
load_clean "more requests than workers"
stalls=$(($(pool stalls) - before))
most=$(load_is at_once)
[ "$most" -ge 3 ] && [ "$most" -le $((3 + stalls)) ]
tap_ok $? "so many handlers run at once as there are workers"
tap_note "$most at once, $stalls stalls"

for core in 0 1; do
	param cores $core
	work callers=8 calls=100 work_us=1000
	tap_like "$(cat "$load_out")" "\"cpus\": \{\"$core\": 100\}" \
		"handlers run on core $core, as cores= says"
done
param cores ''
tap_is "$(on_sh one 'for p in $(pgrep lite_worker); do
		taskset -cp $p; done | sed "s/.*: //" | sort -u')" 0,1 \
	"they may run on all when it is empty"
out=$(on_sh one 'dmesg -C; cd /sys/module/lite_rpc/parameters
	for bad in x 7 0-9 1- 1-0; do
		echo $bad > cores && echo "$bad is taken"
	done
	echo 5000 > workers && echo "5000 is taken"
	dmesg' 2>&1)
! grep -q taken <<< "$out"
tap_ok $? "cores that are not there, and too many workers, are refused"
tap_is "$(grep -c 'cores=.*: give a list.*(0-1)' <<< "$out")" 5 "the log says why"
tap_like "$out" 'workers= is a number' "of workers, too"

# meek CLASS CLASS: one node fills all its slots of the first class, then
# another calls in the second, 10 times; for each, the most requests that were
# served between a call and its own
meek() {
	on_sh one 'cd "$1" || exit
		echo "loop:sink callers=64 ms=2000 op=1 work_us=2000 class=$2 $4" \
			> run &
		for ((i = 0; i < 100; i++)); do
			awk "NR > 8 { n += \$2 } END { exit !(n > 40) }" \
				../workers && break
			sleep 0.1
		done
		echo "loop:sink calls=10 op=1 class=$3 $4" > sink_run
		wait
		cat result sink_result' $load_dir "$1" "$2" "$quick" > "$load_out"
}
param workers 1
for pair in "1 1 4" "3 1 4" "1 3 12"; do
	read -r greedy class most <<< "$pair"
	[ $slow = 1 ] || most=$((2 * most)) # the way to the queue is longer
	meek "$greedy" "$class"
	read -r its other <<< "$(load_is ahead | tr '\n' ' ')"
	[ "$(load_is ok | tail -n 1)" = 10 ] && [ "$its" -ge 30 ] &&
		[ "$other" -le "$most" ]
	tap_ok $? "who fills all slots of class $greedy does not keep others waiting in class $class"
	tap_note "$its requests ahead of its own, $other of the others'"
done

# begun CLASS: requests of it that were begun
begun() {
	on one busybox awk -v c="$1" '$1 == c && NF == 3 { print $3 }' \
		/sys/kernel/debug/lego/workers
}
# before HIGH LOW TIMES: of two classes in which as much is asked for as may be,
# so many times as much is begun in the first; again where one of those who ask
# got no processor
before() {
	local names=(control demand prefetch writeback) high low try

	for try in 1 2 3; do
		high=$(begun "${names[$1]}") low=$(begun "${names[$2]}")
		on_sh one 'cd "$1" || exit
			w="callers=64 ms=$5 op=1 work_us=2000 $4"
			echo "loop:sink $w class=$2" > run &
			echo "loop:sink $w class=$3" > sink_run
			wait' $load_dir "$1" "$2" "$quick" $((1500 * slow))
		high=$(($(begun "${names[$1]}") - high))
		low=$(($(begun "${names[$2]}") - low))
		tap_note "try $try: $high and $low begun"
		[ $high -ge $(($3 * low / 10)) ] && [ $low -gt 0 ] && break
	done
	[ $high -ge $(($3 * low / 10)) ] && [ $low -gt 0 ]
	tap_ok $? "class $1 is served before class $2, and that not never"
}
before 1 3 25
before 1 0 14
before 2 3 14

# handlers that wait for handlers, and for each other
work callers=64 calls=128 nest=1
load_clean "one worker, handlers that call"
before=$(pool stalls)
work callers=64 calls=128 nest=2
load_clean "one worker, handlers that call with a lock that all want"
tap_note "$(($(pool stalls) - before)) stalls"
param workers 0
few() { [ "$(pool threads)" -le "$(pool places)" ]; }
wait_until 10 few
tap_ok $? "threads that were needed for that end"
# Classes against each other.
qos() { # CLASS: how many slots it may use
	quick one 'awk -v c="$1" "\$1 == c { print \$2 }" \
		/sys/kernel/debug/lego/qos' "$1"
}
held() { # CLASS: how often it was held back
	quick one 'awk -v c="$1" "\$1 == c { print \$3 }" \
		/sys/kernel/debug/lego/qos' "$1"
}
policy=/sys/module/lite_rpc/parameters/qos
tap_is "$(on one cat $policy)" "[none] hw sw" "classes are not kept apart by default"
out=$(on_sh one 'dmesg -C; cd /sys/module/lite_rpc/parameters
	echo soft > qos && echo "soft is taken"
	for bad in 1,2,3 1,2,3,4,5 0,1,1,1 64,64,65,64 a,b,c,d; do
		echo $bad > qos_slots && echo "$bad is taken"
	done
	dmesg' 2>&1)
! grep -q taken <<< "$out"
tap_ok $? "other policies, and shares that cannot be, are refused"
tap_like "$out" 'qos=soft: use none, hw or sw' "the log says why"
tap_is "$(grep -c 'qos_slots= is 4 numbers from 1 to 64' <<< "$out")" 5 \
	"of shares, too"

param workers 128
param qos hw
before=$(held writeback)
work callers=64 calls=256 work_us=$((50000 * slow)) class=3
load_clean "qos=hw, write-back"
tap_is "$(load_is at_once)" 16 "it has not more calls under way than qos_slots= says"
[ "$(held writeback)" -gt "$before" ]
tap_ok $? "the others are counted as held back"
work callers=64 calls=256 work_us=$((50000 * slow))
[ "$(load_is at_once)" -gt 16 ]
tap_ok $? "demand has as many as there are slots"

# A flood of write-back, and for a while demand, too; again if who looks at the
# limits got no processor meanwhile.
param qos sw
out=$(on_sh one 'cd "$1" || exit
	limits() { # without a process, which could wait for a processor
		local class limit rest
		while read -r class limit rest; do
			case $class in
			writeback) writeback=$limit ;;
			demand) demand=$limit ;;
			esac
		done < ../qos
	}
	for try in 1 2 3 4 5; do
		echo "loop:sink callers=64 ms=6000 op=1 work_us=5000 class=3 $2" \
			> sink_run &
		sleep 0.5
		echo "loop:sink callers=2 ms=3000 $2" > run &
		two=
		for ((i = 0; i < 30; i++)); do
			limits
			[ "$writeback" != 2 ] || two=yes
			echo "demand $demand"
			sleep 0.1
			kill -0 $! || break
		done 2> /dev/null
		wait $!
		for ((i = 0; i < 20; i++)); do
			limits
			[ "$writeback" = 64 ] && break
			sleep 0.1
		done
		wait
		[ ! "$two" ] || break
	done
	echo "two slots: ${two:-never}"
	echo "later $writeback"
	echo "# demand" $(sed -n "s/.*\"calls_per_s\": //p" result) a second
	cat sink_result' $load_dir "$quick")
echo "$out" > "$load_out"
tap_like "$out" "two slots: yes" \
	"qos=sw: while there is demand, write-back has two slots"
tap_is "$(sed -n 's/^demand //p' <<< "$out" | sort -u)" 64 "demand has all"
tap_is "$(sed -n 's/^later //p' <<< "$out")" 64 "after it write-back has all, too"
tap_note "$(grep -v '[{},]' <<< "$out" | tr '\n' ' ')"
load_clean "write-back that was held back"

# another policy all the time
on_sh one 'cd "$1" || exit
	echo "loop:sink callers=64 ms=2500 out=4096 class=3 mode=3 $2" \
		> sink_run &
	echo "loop:sink callers=64 ms=2500 out=4096 $2" > run &
	for ((i = 0; i < 6; i++)); do
		for policy in hw sw none; do
			echo $policy > /sys/module/lite_rpc/parameters/qos
			sleep 0.1
		done
	done
	wait
	cat result' $load_dir "$quick" > "$load_out"
load_clean "another policy all the time, demand"
on one cat $load_dir/sink_result > "$load_out"
load_clean "another policy all the time, write-back"
param workers 0
tap_is "$(qos writeback)" 64 "in the end write-back has all slots"
tap_check "the generator unloads" on one rmmod lego_load

# as of a component whose disk hangs
load_insmod one sink=loop:sink handlers=4
before=$(pool stalls)
work callers=64 calls=64 work_us=100000
tap_is "$(load_is ok) $(load_is at_once)" "64 4" \
	"no more handlers of a component that bounds them run, however long they take"
tap_is "$(($(pool stalls) - before))" 0 "and no threads are made for the others"

# withdrawn: all handlers that may run do, when others are called and given up
withdrawn() { # MICROSECONDS: so long
	load_run one loop:sink calls=1 hold=1 $quick
	wait_until 10 load_link_is one loop:sink credits 64
	work callers=4 calls=4 work_us="$1" out=4096 hold=1 \
		timeout_ms=$((300 * slow))
	work callers=20 calls=20 out=4096 hold=1 timeout_ms=$((300 * slow))
	credits=$(load_link one loop:sink credits)
	[ "$credits" = 60 ] && grep -q '"cpus": {}' "$load_out"
}
# the machine may have been late, and the handlers have ended
for try in 4 8 16; do
	withdrawn ${try}000000 && break
	tap_note "$try s: $credits credits, $(cat "$load_out")"
done
tap_ok $? "requests that nobody waits for any more are not begun, and hold no slot"
on one rmmod lego_load
tap_done
