#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 1800
# kernels: 6.1
# beside: others
# The modules build without a warning, with W=1 and sparse, on both kernels.
. "$(dirname "$0")/../lib.sh"

# What is compiled already was without warnings: they are errors (Makefile).
quiet_build() {
	local dir=$TOP/build/$1 log=$TOP/build/build-$1.log
	rm -f "$dir/Module.symvers" # modpost says again what it has to say
	make -C "$TOP" modules KERNEL="$1" C=2 CF=-D__CHECK_ENDIAN__ \
		> "$log" 2>&1 &&
		! grep -E 'warning:|error:|WARNING:' "$log" && return
	grep -E 'error|Error' "$log"
	return 1
}

for k in 6.1 6.12; do
	tap_check "no warning from gcc W=1 and sparse on $k" quiet_build $k
done
tap_check "user space builds without a warning" \
	make -C "$TOP" tools CFLAGS="-O2 -Wall -Werror"
tap_done
