#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Ten million malformed messages, or MESSAGES=, always the same: to each kind of
# component, and in answer to calls. Nothing of a kernel breaks. Best on the
# debug kernel.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../fuzz.sh"

: "${MESSAGES:=10000000}" "${SEED:=1}"
part=100000
FUZZ_TIMEOUT=600

# one line for each part that was run
say() {
	tap_note "seed $SEED: $1 messages, $(fuzz_is per_s)/s,\
 $(fuzz_is answered) answered, $(fuzz_is ok) of them without an error,\
 $(fuzz_is connects) connections; $sent in all"
}

have_vnode test
in_both "$(lines 2000)"
# components come and go by the thousand: their lines would be most of the work
on one dmesg -n 5
# what leaks is looked for at the end; all the time it takes half of a CPU. It is
# off when a search that has begun is over.
[ "$KERNEL" != debug ] ||
	ON_TIMEOUT=600 on_sh one 'echo scan=off > /sys/kernel/debug/kmemleak'
fuzz_begin
tap_ok $? "the generator is there"
start=$SECONDS
sent=0
connects=0
while [ $sent -lt "$MESSAGES" ]; do
	n=$((MESSAGES - sent))
	[ $n -lt $part ] || n=$part
	# one part of ten are answers
	if [ $((SEED % 10)) = 0 ]; then
		fuzz_run seed="$SEED" count=$n threads=4 breaks=300 lies=1
	else
		fuzz_run seed="$SEED" count=$n threads=2 breaks=3000 \
			$fuzz_targets
	fi
	fuzz_good $n || break
	sent=$((sent + n))
	connects=$((connects + $(fuzz_is connects)))
	say $n
	SEED=$((SEED + 1))
	"$rack" check-logs || break
done
tap_is "$sent" "$MESSAGES" \
	"all are sent, each call ends once, no other memory is touched"
[ "$sent" = "$MESSAGES" ] || tap_note "seed $SEED:" "$(cat "$fuzz_out")"
s=$((SECONDS - start))
tap_note "$sent messages in $s s, $((sent / (s + !s))) a second," \
	"$connects connections"
for to in g0 m0 scratch p0; do
	tap_check "$to still answers" on_sh one \
		'echo "loop:$1" > /sys/kernel/debug/lego/nodes/s0/inject' $to
done
tap_check "all that was made goes" fuzz_end
same "and a program's result is right" sort /data/lines
wait_until 30 none_held
tap_is "$(held)" 0 "no memory is held in the end"
kmemleak one
tap_done
