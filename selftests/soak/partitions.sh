#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rack: a VM each
# 100 faults that are over in time, or COUNT=, chosen by SEED=: a node or a link
# is cut or loses packets, a node stands still, gmgr or the sComponent loses its
# power. No program ends for them or reads a wrong byte, memory of one that is
# killed meanwhile is free within 20 s, and all members are well within 10 s.
. "$(dirname "$0")/../lib.sh"

: "${COUNT:=100}" "${SEED:=$((RANDOM + 1))}"
RANDOM=$SEED
ON_TIMEOUT=$((COUNT * 200 + 1000))
expect_log 'does not answer|no answer|silent for|not reached|gave up|heartbeats'
members=(p0 small m0 m1 s0)
prog=$TOP/build/tools/prog

rnd() {
	REPLY=$((RANDOM % $1))
}
one_of() {
	rnd $#
	shift $REPLY
	REPLY=$1
}

cut_node() {
	"$rack" net "$1" down
	sleep "$2"
	"$rack" net "$1" up
}

cut_link() { # FROM TO SECONDS
	local to
	to=$(ip_of "$2")
	cut_way "$1" "$to"
	sleep "$3"
	mend_way "$1" "$to"
}

stand_still() {
	"$rack" pause "$1"
	sleep "$2"
	"$rack" resume "$1"
}

lose_packets() {
	"$rack" net "$1" loss "$2"
	sleep "$3"
	"$rack" net "$1" loss 0
}

power_cut() {
	"$rack" kill "$1"
	sleep "$2"
	"$rack" start "$1" > /dev/null 2>&1
}

# Sets $fault to one of them: what may be cut for up to 8 s, and what longer
choose() {
	local a b s
	rnd 7
	s=$((REPLY + 1))
	one_of g0 p0 m0 m1 s0
	a=$REPLY
	one_of cut_node cut_node cut_link cut_link cut_link stand_still \
		stand_still lose_packets power_cut
	case $REPLY in
	cut_link)
		one_of "p0 m0" "m0 p0" "p0 m1" "m1 p0" "p0 s0" "s0 p0" \
			"g0 p0" "p0 g0" "g0 m0" "m1 g0" "g0 s0" "s0 g0"
		read -r a b <<< "$REPLY"
		[[ $REPLY != *g0* ]] || s=$((s * 2))
		fault=(cut_link "$a" "$b" "$s")
		;;
	lose_packets)
		rnd 40
		fault=(lose_packets "$a" $((REPLY + 5)) "$s")
		;;
	power_cut)
		one_of g0 s0
		fault=(power_cut "$REPLY" "$s")
		;;
	*)
		fault=("$REPLY" "$a" "$s")
		;;
	esac
}

# The programs, and what they said at their ends. What they need of their files
# is not lost with the sComponent's power.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; kill $(jobs -p) 2> /dev/null' EXIT
pids=()
begin() { # NAME COMMAND...
	local name=$1
	shift
	"$@" > "$tmp/$name" 2>&1 &
	pids+=($!)
	wait_until 200 grep -q . "$tmp/$name" && tap_note "$name runs"
}
all_run() {
	kill -0 "${pids[@]}" 2> /dev/null
}
# one that nobody waits for any more: its mComponents still have its space
victim_gone() {
	local m
	for m in m0 m1; do
		quick "$m" 'awk -v vid=$1 "\$2 == vid { exit 1 }" \
			/sys/kernel/debug/lego/mcomp/m?/spaces' "$vid" ||
			return
	done
}

have_vnode test
have_vnode victim
vid=$(on g0 cat /sys/kernel/config/lego/gmgr/vnodes/victim/vid)
have_pcomp small 2
tap_note "SEED=$SEED, $COUNT faults"
begin keep lrun -p small "$prog/keep" 1500 1 /dev/keep.end
begin randmem lrun -p small "$prog/randmem" 1000000 "$SEED" /dev
begin sort lrun -p small sh -c 'sort /etc/passwd | md5sum
	until [ -e /dev/sort.end ]; do sort /etc/passwd | md5sum; done'
wait_until 60 rack_is_well "${members[@]}"

lost=0 ill=0 kept=0
for ((i = 0; i < COUNT; i++)); do
	choose
	on p0 lego run -n victim -p small -- "$prog/keep" 100 $i /dev/none \
		> "$tmp/victim" 2>&1 &
	wait_until 100 grep -q ready "$tmp/victim"
	(
		sleep 0.$((RANDOM % 10))
		on_sh p0 'pkill -9 -f "keep 100 $1 "' $i
	) &
	killer=$!
	"${fault[@]}"
	wait $killer
	within 10 rack_is_well "${members[@]}" || ill=$((ill + 1))
	rack_is_well "${members[@]}" || tap_note "$i: ${fault[*]}: not all are well in 10 s" \
		"$(on g0 lego status)"
	within 10 victim_gone || {
		kept=$((kept + 1))
		tap_note "$i: ${fault[*]}: memory of the dead is not free"
	}
	if ! all_run; then
		lost=1
		tap_note "$i: ${fault[*]}: a program has ended" \
			"$(tail -n 30 "$tmp"/[krs]*)"
		break
	fi
	tap_note "$i: ${fault[*]}"
done
tap_is $lost 0 "no program ends for a fault that is over in time"
tap_is $ill 0 "all members are well 10 s after each"
tap_is $kept 0 "and memory of what was killed meanwhile is free within 20 s"
on_sh p0 'touch /dev/keep.end /dev/sort.end; pkill -TERM -x randmem'
for pid in "${pids[@]}"; do
	wait "$pid"
	tap_is $? 0 "a program ends well"
done
tap_is "$(tail -n 1 "$tmp/keep")" right "its memory is what it was"
tap_is "$(sort -u "$tmp/sort" | wc -l)" 1 "what it read was always the same"
tap_note "$(tail -n 30 "$tmp/randmem")"
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"
tap_done
