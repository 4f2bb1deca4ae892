#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 3600
# kernels: 6.1
# beside: others
# The sources pass checkpatch --strict, shellcheck and codespell, and docs/ says
# what they say.
. "$(dirname "$0")/../lib.sh"

CHECKPATCH=$("$TOP/tools/debug-kernel/source" checkpatch)/scripts/checkpatch.pl
export CHECKPATCH
for check in checkpatch shellcheck codespell spdx protocol abi; do
	tap_check "$check has nothing to say" "$TOP/tools/checks/run" $check
done
tap_check "the tools' own checks" make -C "$TOP/tools" check \
	OUT="$TOP/build/tools"
tap_done
