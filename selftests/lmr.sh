# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For lmr.sh of both groups, after lib.sh: lmr_run NODE IP AT OTHER GMGR runs the
# tests of lego_lmr there and counts its results as this script's.
lmr_run() {
	local node=$1 line out
	out=$(ON_TIMEOUT=120 on_sh "$node" 'insmod "$1" ip="$2" at="$3" other="$4" gmgr="$5" &&
		cat /sys/kernel/debug/lego/lmr/run; status=$?
		rmmod lego_lmr; exit $status' \
		"$TOP/build/$KERNEL/lego_lmr/lego_lmr.ko" "${@:2}" 2>&1)
	tap_ok $? "the tests run"
	while read -r line; do
		case $line in
		"ok "*) tap_ok 0 "${line#* - }" ;;
		"not ok "*) tap_ok 1 "${line#* - }" ;;
		*) tap_note "${line#\# }" ;;
		esac
	done <<< "$out"
	[ "$(grep -c '^ok' <<< "$out")" -ge 50 ]
	tap_ok $? "all of them"
}
