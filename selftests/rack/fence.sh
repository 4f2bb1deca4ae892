#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# A pComponent reads pages where they are, without asking. One that is declared
# dead though it lives must not read what its pages' places hold for others.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=200 # the first program waits for all the others

have_vnode test
have_pcomp small 4
g0=$(ip_of g0)
ms="$(ip_of m0) $(ip_of m1)"
on_sh s0 'cp "$1"/keep "$1"/lost /srv/lego/tmp/ && rm -f /srv/lego/tmp/go &&
	chmod 755 /srv/lego/tmp/keep /srv/lego/tmp/lost' "$TOP/build/tools/prog"

# a pComponent elsewhere, that has ExCache for less than its programs
on_sh g0 'insmod "$1" && cd /sys/kernel/config/lego/pcomp &&
	mkdir other && cd other && cat /sys/kernel/lego/nodes/g0/addr > gmgr &&
	sed "s/:[0-9]*$/:7490/" /sys/kernel/lego/nodes/g0/addr > addr &&
	echo 2 > excache_mb && echo 1 > enable' \
	"$TOP/build/$KERNEL/pcomp/pcomp.ko"
tap_ok $? "a second node has a pComponent"

out=$(mktemp)
trap 'rm -f "$out" "$out".*' EXIT
expect_log 'vNode test is ended: mComponent'
# who loses its memory together with the first
lrun -p small /tmp/lost 200 /tmp/go > "$out.lost" 2>&1 &
losers=$!
wait_until 60 grep -q ready "$out.lost"
lrun -p small /tmp/keep 2000 1 /tmp/go > "$out" 2>&1 &
cut=$!
wait_until 100 grep -q ready "$out"
tap_ok $? "a program has its memory on the mComponents"
misses=$(attr p0 pcomp/small/misses)
reads=$(attr p0 pcomp/small/reads)
[ "$reads" -gt $((misses * 9 / 10)) ]
tap_ok $? "nine of ten misses and more read the page without asking"
tap_note "$reads of $misses"

# The way to gmgr, and those to the mComponents, or it would be asked and live.
# shellcheck disable=SC2086
cut_way p0 $g0 $ms
dead() {
	[ "$(attr g0 gmgr/g0/members/small/state)" = dead ]
}
wait_until 20 dead
tap_ok $? "its pComponent is thought dead"
wait_until 40 none_held
tap_is "$(held)" 0 "its memory is taken back, which it does not know"

# wherever the first one's pages were
others=()
full() {
	[ "$(attr m0 mcomp/m0/used_bytes)" -gt 8192000 ] &&
		[ "$(attr m1 mcomp/m1/used_bytes)" -gt 8192000 ]
}
for i in 1 2 3 4 5 6 7 8; do
	full && break
	on_sh g0 'lego run -n test -p other -- /tmp/keep 2500 2 /tmp/go' \
		> "$out.$i" 2>&1 &
	others+=($!)
	wait_until 60 grep -q ready "$out.$i"
	tap_ok $? "another program has memory"
	within 3 full
done
tap_check "there is no frame on either mComponent that is as it was" full
# shellcheck disable=SC2086
mend_way p0 $ms
on_sh s0 ': > /srv/lego/tmp/go'
wait $cut
status=$?
tap_is $status 137 "the first is ended"
! grep -Eq 'right|wrong' "$out"
tap_ok $? "and does not get the other's memory"
tap_note "status $status: $(tail -n 1 "$out")"
wait $losers
tap_is "$? $(grep -c "mComponent .* does not know its memory" "$out.lost")" \
	"137 1" "who finds its memory gone is ended, and its user told why, once"
tap_is "$(on_sh p0 'dmesg | grep -o "lost\[[0-9]*\] of vNode test is ended" |
	sort | uniq -c | awk "{ print \$1 }" | tr "\n" " "')" "1 1 1 1 1 1 1 " \
	"and so are its relatives, by whichever way they find it, in the log"
! grep -q "not killed" "$out.lost"
tap_ok $? "all are killed, also one whose first thread has ended"
tap_note "$(cat "$out.lost")"
wait "${others[@]}"
tap_is "$(cat "$out".? | grep -vc ready) $(cat "$out".? | grep -c right)" \
	"${#others[@]} ${#others[@]}" "the others' is right"
rm -f "$out".?

mend_way p0 "$g0"
up() {
	[ "$(attr g0 gmgr/g0/members/small/state)" = up ]
}
wait_until 30 up
tap_ok $? "the pComponent is a member again"
on_sh s0 'rm -f /srv/lego/tmp/go; (sleep 8; : > /srv/lego/tmp/go) > /dev/null 2>&1 &'
lrun -p small /tmp/keep 2000 3 /tmp/go > "$out" 2>&1
tap_is "$? $(tail -n 1 "$out")" "0 right" "and its programs run"
before=$reads
reads=$(attr p0 pcomp/small/reads)
[ "$reads" -gt $((before + 2000)) ]
tap_ok $? "and read without asking"
wait_until 20 none_held
tap_is "$(held)" 0 "in the end nothing is held"
on_sh g0 'rmdir /sys/kernel/config/lego/pcomp/other && rmmod pcomp' &&
	on p0 rmdir /sys/kernel/config/lego/pcomp/small
tap_ok $? "both pComponents end"
tap_done
