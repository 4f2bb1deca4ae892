#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernels: 6.1
# Parts that need no kernel, compiled for user space with its checkers.
. "$(dirname "$0")/../lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tap_check "the unit tests build" gcc -Wall -Wextra -Werror -g \
	-fsanitize=address,undefined -o "$tmp/policy" \
	"$TOP"/selftests/unit/policy.c "$TOP"/{gmgr,mcomp}/policy.c
out=$("$tmp/policy" 2>&1)
status=$?
tap_ok $status "placement policies"
[ $status = 0 ] || tap_note "$out"
tap_done
