# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that run the checkers of random operations, after lib.sh. SEED=
# replays one.
: "${SEED:=$((RANDOM * 32768 + RANDOM))}"

# random_begin: two vNodes whose programs share 2 MiB of ExCache
random_begin() {
	have_vnode test
	have_vnode other
	have_pcomp tiny 2
	quick s0 'mkdir -p /srv/lego/tmp && cp "$@" /srv/lego/tmp/' \
		"$TOP/build/tools/prog/randmem"
}

# random_memory SECONDS SEED: randmem in both vNodes at once. Its output, with
# the exit status of each
random_memory() {
	ON_TIMEOUT=$(($1 + 240)) on_sh p0 'for v in test other; do
		(lego run -n $v -p tiny -- /tmp/randmem $1 $(($2 + ${#v})) 2>&1
			echo "$v: exit status $?") > /tmp/randmem.$v &
	done
	wait
	cat /tmp/randmem.test /tmp/randmem.other' "$1" "$2"
}
