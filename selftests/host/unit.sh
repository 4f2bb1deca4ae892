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
tap_check "placement policies" "$tmp/policy"
tap_check "they build for histograms" gcc -Wall -Wextra -Werror -g \
	-fsanitize=address,undefined -I "$TOP/selftests/unit/include" \
	-o "$tmp/hist" "$TOP"/selftests/unit/hist.c "$TOP/lite_rpc/hist.c"
tap_check "latency histograms" "$tmp/hist"
tap_check "they build for traffic classes" gcc -Wall -Wextra -Werror -g \
	-fsanitize=address,undefined -o "$tmp/qos" \
	"$TOP"/selftests/unit/qos.c "$TOP/lite_rpc/qos_policy.c"
tap_check "policies of traffic classes" "$tmp/qos"
tap_check "they build for leases" gcc -Wall -Wextra -Werror -g \
	-fsanitize=address,undefined -o "$tmp/lease" \
	"$TOP"/selftests/unit/lease.c "$TOP/gmgr/lease.c"
tap_check "who is dead, and when gmgr suspects itself" "$tmp/lease"
tap_check "they build for an mComponent's frames" gcc -Wall -Wextra -Werror -g \
	-fsanitize=address,undefined -I "$TOP/selftests/unit/include" \
	-o "$tmp/budget" \
	"$TOP"/selftests/unit/budget.c "$TOP/mcomp/budget.c"
tap_check "the accounting of an mComponent's frames" "$tmp/budget"
tap_done
