#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
# kernels: 6.1
# The modules build without a warning, with W=1 and sparse, on both kernels.
. "$(dirname "$0")/../lib.sh"

quiet_build() {
	local dir=$TOP/build/lint/$1 log=$TOP/build/lint/$1.log
	mkdir -p "$dir"
	if make -C "$TOP" modules KERNEL="$1" BUILD="$dir" \
		KFLAGS="W=1 C=2 CF=-D__CHECK_ENDIAN__" > "$log" 2>&1 &&
		! grep -E 'warning:|error:|WARNING:' "$log"; then
		return 0
	fi
	grep -E 'error|Error' "$log"
	# what warned is not compiled again otherwise
	rm -rf "$dir"
	return 1
}

for k in 6.1 6.12; do
	tap_check "no warning from gcc W=1 and sparse on $k" quiet_build $k
done
tap_check "user space builds without a warning" \
	make -C "$TOP" tools CFLAGS="-O2 -Wall -Werror"
tap_done
