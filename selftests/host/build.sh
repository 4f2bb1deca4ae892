#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 3600
# kernels: 6.1
# beside: others
# The modules build without a warning, with W=1 and sparse, on both kernels, and
# call no function of the kernel's in a way that some CPUs refuse.
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

# An indirect call to what was looked up by its name is a kernel BUG on a CPU with
# IBT, which no emulated one has. So: no indirect call at all in an object that
# looks functions up.
direct_calls() { # DIRECTORY
	local o looks=0 bad=0
	for o in $(cat "$1"/*/*.mod | sort -u); do
		nm -u "$o" | grep -Eq ' (register_kprobes?|__symbol_get|kallsyms_.*)$' ||
			continue
		looks=$((looks + 1))
		objdump -dr --no-show-raw-insn "$o" |
			grep -E '^[0-9a-f]+ <|(call|jmp) +\*|__x86_indirect_thunk' |
			grep -B1 -E '\*|indirect_thunk' && bad=1
	done
	[ $looks -gt 0 ] || echo "no object looks any function up?"
	[ $looks -gt 0 ] && [ $bad = 0 ]
}

for k in 6.1 6.12; do
	tap_check "no warning from gcc W=1 and sparse on $k" quiet_build $k
	tap_check "what is looked up by name is called directly on $k" \
		direct_calls "$TOP/build/$k"
done
tap_check "user space builds without a warning" \
	make -C "$TOP" tools CFLAGS="-O2 -Wall -Werror"
tap_done
