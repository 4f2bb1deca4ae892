#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# The rack's memory used up: ends the program that wants more, with the reason,
# and no other.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
in_both 'cat > grow.py << END
data = []
while True:
    data.append(bytearray(b"x" * 1000000))
END
cat > patient.py << END
import sys
data = [bytearray(b"%07d" % i) * 500 for i in range(2500)]
print("ready", flush=True)
sys.stdin.read()
print(all(d == b"%07d" % i * 500 for i, d in enumerate(data)))
END'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkfifo "$tmp/in"
"$rack" exec p0 -- lego run -n test -p small -- python3 /data/patient.py \
	< "$tmp/in" > "$tmp/out" 2>&1 &
pid=$!
exec 5> "$tmp/in"
wait_until 60 grep -q ready "$tmp/out"
tap_ok $? "a program that needs little is running"

ON_TIMEOUT=150
lrun -p small python3 /data/grow.py > "$tmp/grow" 2>&1
status=$?
[ $status != 0 ] && [ $status != 124 ]
tap_ok $? "a program that wants too much is ended (exit status $status)"
tap_like "$(cat "$tmp/grow")" '[Mm]emory' "and is told why"
tap_like "$(on p0 dmesg)" '[Mm]emory.*(used up|full|exhausted|out)|[Oo]ut of memory|no memory' \
	"the kernel log says why"
exec 5>&-
wait $pid
tap_is "$(cat "$tmp/out")" "ready
True" "the other one finishes with the right result"
wait_until 20 none_held
tap_is "$(held)" 0 "after both the mComponents hold nothing"
same "and a new program runs" sort /etc/passwd
tap_done
