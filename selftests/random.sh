# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that run the checkers of random operations, after lib.sh. SEED=
# replays one.
: "${SEED:=$((RANDOM * 32768 + RANDOM))}"

# random_begin: two vNodes whose programs share 2 MiB of ExCache, and a second
# pComponent
random_begin() {
	have_vnode test
	have_vnode other
	have_pcomp tiny 2
	have_pcomp p1 16
	quick s0 'mkdir -p /srv/lego/tmp && cp "$@" /srv/lego/tmp/' \
		"$TOP"/build/tools/prog/rand{mem,file}
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

# random_files SECONDS SEED SIDE...: randfile; a SIDE is pComponents, one for
# each worker there, with what they have in common
random_files() {
	ON_TIMEOUT=$(($1 + 240)) on_sh s0 '
	rm -rf /srv/lego/tmp/files /tmp/randfile.twin
	mkdir -p /srv/lego/tmp/files /tmp/randfile.twin
	args=("$1" "$2" /tmp/randfile.twin)
	shift 2
	for side; do
		[ ${#args[@]} = 3 ] || args+=(/)
		for p in $side; do
			args+=("exec lego run -n test -p $p -- \
				/tmp/randfile worker /tmp/files")
		done
	done
	/srv/lego/tmp/randfile "${args[@]}" 2>&1
	echo "exit status $?"' "$@"
}
