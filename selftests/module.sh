# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts with tests in a module, after lib.sh:
# module_run NODE MODULE LEAST PARAMETER... loads it there, runs its tests and
# counts their results, LEAST of them, as this script's.
module_run() {
	local node=$1 module=$2 least=$3 line out
	out=$(ON_TIMEOUT=120 on_sh "$node" 'module=$1; shift
		insmod "$@" && cat "/sys/kernel/debug/lego/${module#lego_}/run"
		status=$?; rmmod "$module"; exit $status' "$module" \
		"$TOP/build/$KERNEL/$module/$module.ko" "${@:4}" 2>&1)
	tap_ok $? "the tests run"
	while read -r line; do
		case $line in
		"ok "*) tap_ok 0 "${line#* - }" ;;
		"not ok "*) tap_ok 1 "${line#* - }" ;;
		*) tap_note "${line#\# }" ;;
		esac
	done <<< "$out"
	[ "$(grep -c '^ok' <<< "$out")" -ge "$least" ]
	tap_ok $? "all of them"
}
