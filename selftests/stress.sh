# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For stress.sh of both groups: the load generator, and what must be true of
# each of its runs. Sourced after lib.sh.

load_dir=/sys/kernel/debug/lego/load
load_out=$(mktemp)
trap 'rm -f "$load_out"' EXIT

# load_insmod NODE ADDR: the generator, there
load_insmod() {
	on "$1" insmod "$TOP/build/$KERNEL/lego_load/lego_load.ko" addr="$2"
}

# load_run NODE ADDR WORDS...: call; the result is in $load_out
load_run() {
	local node=$1
	shift
	ON_TIMEOUT=120 on_sh "$node" 'cd "$1" && shift && echo "$*" > run &&
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
	tap_note "$(cat "$load_out")"
}

# load_clean NAME: and without any error
load_clean() {
	load_good "$1"
	tap_is "$(load_is ok)" "$(load_is calls)" "$1: none fails"
}

# conns_of NODE COMPONENT: connections that the generator has there, still
conns_of() {
	on_sh "$1" 'grep -c "^in \(load\|loop:load\) " "$1"; true' \
		"/sys/kernel/debug/lego/nodes/$2/links"
}

no_conns() {
	[ "$(conns_of "$@")" = 0 ]
}

# kib_free NODE: memory that is free or easily so; MemFree leaves out what lies
# in each CPU's lists
kib_free() {
	on_sh "$1" 'echo 3 > /proc/sys/vm/drop_caches; sleep 1
		awk "/^(MemFree|Cached|Buffers|SReclaimable):/ { n += \$2 }
		/^ +count:/ { n += 4 * \$2 }
		END { print n }" /proc/meminfo /proc/zoneinfo'
}
