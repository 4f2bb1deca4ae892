# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For test scripts: TAP, commands in nodes, waiting. Sourced first:
#   . "$(dirname "$0")/../lib.sh"
# and tap_done comes last.
set -u
: "${TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}"
: "${KERNEL:=6.1}"
export TOP KERNEL
rack=$TOP/tools/rack/rack
tap_nr=0
tap_failed=0
# Times are for stock kernels; the checkers of the debug kernel cost.
slow=1
if [ "$KERNEL" = debug ]; then
	slow=4
fi

# tap_ok STATUS NAME: a result; STATUS 0 is good
tap_ok() {
	tap_nr=$((tap_nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_nr - $2"
	else
		echo "not ok $tap_nr - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

# tap_check NAME COMMAND...: good if the command succeeds; else shows its output
tap_check() {
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	tap_ok $status "$name"
	if [ $status != 0 ]; then
		tap_note "exit status $status of: $*" "$out"
	fi
}

# tap_is GOT WANTED NAME: good if they are the same
tap_is() {
	[ "$1" = "$2" ]
	tap_ok $? "$3"
	if [ "$1" != "$2" ]; then
		tap_note "got:    $1" "wanted: $2"
	fi
}

# tap_like TEXT REGEX NAME: good if the text has it (grep -E)
tap_like() {
	grep -Eq -- "$2" <<< "$1"
	tap_ok $? "$3"
	grep -Eq -- "$2" <<< "$1" || tap_note "no $2 in:" "$1"
}

tap_note() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

tap_skip() {
	tap_nr=$((tap_nr + 1))
	echo "ok $tap_nr - $1 # SKIP ${2-}"
}

# skip_all REASON: none of this script's behaviours can be tested here
skip_all() {
	echo "# $1"
	exit 4
}

tap_done() {
	echo "1..$tap_nr"
	[ $tap_failed = 0 ]
	exit
}

# on NODE COMMAND...: run it there, for twice $ON_TIMEOUT at most, as the host may
# be busy; its streams and exit status
on() {
	local node=$1
	shift
	"/run/lego-rack/$LEGO_RACK/exec" -n -t $((${ON_TIMEOUT:-60} * 2 * slow)) \
		"$node" "$@"
}

# on_sh NODE SCRIPT [ARGUMENT...]: the same for a piece of shell
on_sh() {
	local node=$1
	shift
	on "$node" bash -c "$1" bash "${@:2}"
}

# quick NODE SCRIPT [ARGUMENT...]: the same for one that busybox can do, whose cat,
# awk, grep... are in it: to begin a program takes an emulated processor longer
# than what most of them are wanted for
quick() {
	on "$1" busybox sh -c "$2" sh "${@:3}"
}

# attr NODE PATH: a value below /sys/kernel/lego
attr() {
	on "$1" busybox cat "/sys/kernel/lego/$2"
}

# within SECONDS COMMAND...: waits until it succeeds; in that time only, as it is
# promised or nothing more comes later
within() {
	local end=$((SECONDS + $1 * slow))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# wait_until SECONDS COMMAND...: until it succeeds; longer than it takes here, as
# other programs may keep the processors busy
wait_until() {
	local patience=$(($1 > 20 ? $1 * 3 : 60))
	shift
	within "$patience" "$@"
}

# expect_log REGEX: kernel log lines that this test provokes on purpose
expect_log() {
	"$rack" allow "$1"
}

# kmemleak NODE: on the debug kernel, its detectors have found nothing
kmemleak() {
	[ "$KERNEL" = debug ] || return 0
	on_sh "$1" 'f=/sys/kernel/debug/kmemleak
		echo clear > $f; echo scan > $f; sleep 6; echo scan > $f'
	tap_is "$(on "$1" cat /sys/kernel/debug/kmemleak)" "" "kmemleak is silent"
	tap_is "$(on_sh "$1" 'awk "/debug_locks/ { print \$2 }" \
		/proc/lockdep_stats')" 1 "lockdep is still awake"
}

# The system under test.

# have_vnode NAME [OPTION...]: make it if it is not there
have_vnode() {
	on g0 lego vnode list | grep -q "^$1 " || on g0 lego vnode create "$@"
}

# have_pcomp NAME EXCACHE_MB: a further pComponent on p0's node
have_pcomp() {
	quick p0 'cd /sys/kernel/config/lego/pcomp
		[ -d $1 ] && exit
		addr=$(cat /sys/kernel/lego/nodes/p0/addr)
		case $addr in
		loop:*) addr=loop:$1 ;;
		*) addr=${addr%:*}:$((7480 + $(ls | wc -l))) ;;
		esac
		mkdir $1 && cd $1 && echo $addr > addr &&
			cat /sys/kernel/lego/nodes/p0/gmgr > gmgr &&
			echo $2 > excache_mb && echo 1 > enable' "$@"
}

# keepers NODE...: components there keep LMRs and locks for others
keepers() {
	local n
	for n; do
		quick "$n" 'echo Y > \
			/sys/module/lite_rpc/parameters/components_keep'
	done
}

# The vNode's root is /srv/lego on s0: s0's userland without its mounts.
# in_both SCRIPT: run shell both there and on p0, to make the same files
in_both() {
	on_sh p0 "mkdir -p /data && cd /data && $1" &&
		on_sh s0 "mkdir -p /srv/lego/data && cd /srv/lego/data && $1"
}

# lines N: shell that makes a file of N lines, the same each time
lines() {
	cat << END
awk 'BEGIN {
	srand(1)
	for (i = 0; i < $1; i++)
		printf "%08x %d\n", rand() * 4294967296, i
}' > lines
END
}

# lrun [-p PCOMP] COMMAND...: in the vNode `test`
lrun() {
	local p=(-p p0)
	if [ "$1" = -p ]; then
		p=(-p "$2")
		shift 2
	fi
	# the debug kernel takes longer to come again
	on p0 lego run -n test -o "retry_s=$((30 * slow))" "${p[@]}" -- "$@"
}

# same NAME [-p PCOMP] COMMAND...: gives on p0 and in the vNode the same output
# and exit status
same() {
	local name=$1 p=(-p p0) want got
	shift
	if [ "$1" = -p ]; then
		p=(-p "$2")
		shift 2
	fi
	want=$(on_sh p0 'cd /; "$@" 2>&1 | md5sum; echo ${PIPESTATUS[0]}' "$@")
	got=$(on_sh p0 'cd /; "$@" 2>&1 | md5sum; echo ${PIPESTATUS[0]}' \
		lego run -n test "${p[@]}" -- "$@")
	tap_is "$got" "$want" "$name"
	if [ "$got" != "$want" ]; then
		tap_note "$(on p0 lego run -n test "${p[@]}" -- "$@" 2>&1 |
			head -c 1000)"
	fi
}

# member_is NAME STATE: gmgr says so (up, dead, left)
member_is() {
	[ "$(attr g0 "gmgr/g0/members/$1/state")" = "$2" ]
}

# rack_is_well NAME...: all are up, and gmgr heard them just now
rack_is_well() {
	quick g0 'cd /sys/kernel/lego/gmgr/g0 && grep -q 0 isolated &&
		cd members && for m; do
			grep -q up $m/state && [ $(cat $m/age_ms) -lt 2000 ] ||
				exit
		done' "$@"
}

# ip_of NODE: without the port
ip_of() {
	local addr
	addr=$(attr "$1" "nodes/$1/addr")
	echo "${addr%:*}"
}

# cut_way NODE IP...: what it sends there goes to a machine that is not there
cut_way() {
	on_sh "$1" 'for ip; do
		dev=$(ip -o route get $ip | sed "s/.* dev \([^ ]*\).*/\1/")
		ip neigh replace $ip lladdr 02:00:00:00:00:fe dev $dev \
			nud permanent
	done' "${@:2}"
}

# mend_way NODE IP...: it arrives again
mend_way() {
	on_sh "$1" 'for ip; do
		dev=$(ip -o route get $ip | sed "s/.* dev \([^ ]*\).*/\1/")
		ip neigh del $ip dev $dev
	done' "${@:2}"
}

# held: bytes that all mComponents hold together
held() {
	local m sum=0
	for m in m0 m1; do
		sum=$((sum + $(attr $m "mcomp/$m/used_bytes")))
	done
	echo $sum
}

none_held() {
	[ "$(held)" = 0 ]
}
