# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For user.sh of both groups: programs that use liblite. Sourced after lib.sh.

# user_results OUTPUT [PREFIX]: those of build/tools/prog/lite_user
user_results() {
	local what name
	while IFS=: read -r what name; do
		case $what in
		pass) tap_ok 0 "${2-}${name# }" ;;
		fail) tap_ok 1 "${2-}${name# }" ;;
		*) tap_note "$what:$name" ;;
		esac
	done <<< "$1"
	tap_like "$1" '^pass: all memory is freed' "${2-}it comes to its end"
}

# user_kv NODE SERVER MAX [OPTION...]: a client there, of lite-kv serve -m 4
user_kv() {
	local node=$1 got
	got=$(on_sh "$node" 'kv=$1; addr=$2; max=$3; shift 3
	c() {
		local word=$1; shift
		"$kv" -s "$max" "${opts[@]}" "$word" "$addr" "$@"
	}
	opts=("$@")
	seq 100000 | head -c "$max" > /tmp/kv.in
	c put whole < /tmp/kv.in && c get whole | cmp - /tmp/kv.in && echo same
	echo -n | c put empty; c get empty | wc -c
	echo 1 | c put whole; c get whole
	echo 2 | c put b; echo 3 | c put c
	c count
	echo 4 | c put d 2>&1 | sed "s/.*: //"
	c del b; c get b 2>&1 | sed "s/.*: //"
	for i in $(seq 12); do
		echo $i | c put d$((i % 2)) 2> /dev/null &
	done
	wait
	c count
	for k in whole empty c d0 d1; do c del $k 2> /dev/null; done; c count
	rm -f /tmp/kv.in' "$TOP/build/tools/lite-kv" "$2" "$3" "${@:4}" 2>&1)
	tap_is "$got" "same
0
1
4
No space left on device
No such file or directory
4
0" "values are put, got, replaced, removed; too many are refused"
}
