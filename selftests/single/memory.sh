#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
# Where a process's memory is: not on P, on the mComponents; and that it is
# given back however the process ends.
. "$(dirname "$0")/../lib.sh"

have_vnode test
have_pcomp small 4
in_both 'cat > hold.py << END
import sys, time
data = [bytearray(b"%07d" % i) * 500 for i in range(5000)]
data[7][3] = 1
print("ready", flush=True)
time.sleep(float(sys.argv[1]))
print(sum(d[0] + d[-1] for d in data))
END'

hold=$(mktemp)
trap 'rm -f "$hold"' EXIT
lrun -p small python3 /data/hold.py 600 > "$hold" 2>&1 &
wait_until 60 grep -q ready "$hold"
tap_ok $? "a program is running"
# by its name: a vNode's process has no command line in /proc
pid=$(on p0 pgrep -nx python3)
smaps=$(on p0 cat "/proc/$pid/smaps")
tap_like "$smaps" 'lego' "its memory is mapped from ExCache"
tap_is "$(awk '/^Anonymous:|^Swap:/ { n += $2 } END { print n + 0 }' \
	<<< "$smaps")" 0 "it has no anonymous or swapped memory on P"
for m in m0 m1; do
	[ "$(attr $m mcomp/$m/used_bytes)" -gt 0 ]
	tap_ok $? "$m holds a part of it"
done
tap_note "m0 $(attr m0 mcomp/m0/used_bytes), m1 $(attr m1 mcomp/m1/used_bytes)"
on p0 kill -9 "$pid"
wait
wait_until 20 none_held
tap_is "$(held)" 0 "after SIGKILL the mComponents hold nothing of it"

lrun -p small python3 /data/hold.py 0 > "$hold"
tap_ok $? "it runs to its end"
wait_until 20 none_held
tap_is "$(held)" 0 "after its exit they hold nothing of it"

in_both 'cat > mremap.py << END
import ctypes, mmap, os
libc = ctypes.CDLL(None)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
at, size = ctypes.c_void_p, ctypes.c_size_t
fd = os.open("/tmp/mremap.in", os.O_RDWR | os.O_CREAT)
os.write(fd, b"a" * 4096 + b"b" * 4096 + b"c" * 4096)
def grow(hole, flags):
    p = libc.mmap(None, size(12288), 3, mmap.MAP_PRIVATE, fd, size(0))
    libc.munmap(at(p + 4096), size(hole))
    ctypes.memset(p, ord("A"), 1)
    to = libc.mremap(at(p), size(4096), size(12288), flags)
    print(libc.msync(at(to), size(4096), 4), to == p, [ctypes.string_at(to + i * 4096, 1) for i in range(3)])
grow(8192, 0)
grow(4096, 1)
END'
same "a file's mapping that grows shows more of the file" python3 /data/mremap.py

in_both 'cat > fork.py << END
import os
data = [bytearray(b"%07d" % i) * 500 for i in range(3000)]
r, w = os.pipe()
pid = os.fork()
who = b"parent" if pid else b"child!"
for i, d in enumerate(data):
    d[100:106] = who
    d[200:207] = b"%07d" % (i * 3)
good = all(d[100:106] == who and d[200:207] == b"%07d" % (i * 3)
           and d[:7] == b"%07d" % i for i, d in enumerate(data))
if not pid:
    os._exit(0 if good else 1)
print(good, os.waitpid(pid, 0)[1])
END'
same "a forked child and its parent each see their own changes" \
	-p small python3 /data/fork.py

in_both 'cat > twin.py << END
import sys
me = sys.argv[1].encode()
data = [bytearray(me) * 1000 for i in range(3000)]
for r in range(3):
    for d in data:
        d[r::50] = me * len(d[r::50])
print(all(d == me * 1000 for d in data))
END'
for i in 1 2; do
	lrun -p small python3 /data/twin.py $i > "$hold.$i" &
done
wait
tap_is "$(cat "$hold.1" "$hold.2")" "True
True" "two programs at once each see their own memory"
rm -f "$hold".?
wait_until 20 none_held
tap_is "$(held)" 0 "after them the mComponents hold nothing"

on s0 cp "$TOP/build/tools/prog/forks" /srv/lego/tmp/forks
on_sh p0 'for i in 1 2 3 4; do
	lego run -n test -p p0 -- /tmp/forks 1000 9999 > /tmp/forks.out &
	until grep -q ready /tmp/forks.out; do busybox usleep 50000; done
	busybox usleep $((RANDOM * 10))
	pkill -9 -x forks
	wait
done' 2> /dev/null
wait_until 40 none_held
tap_is "$(held)" 0 "who is killed while it forks leaves nothing either"

# homes MCOMP: ids of the spaces whose home it is
homes() {
	quick "$1" 'awk "\$4 == \"home\" { print \$1 }" \
		/sys/kernel/debug/lego/mcomp/$1/spaces' "$1" | sort
}
ON_TIMEOUT=200 lrun -p small python3 /data/hold.py 600 > "$hold" 2>&1 &
wait_until 60 grep -q ready "$hold"
quick s0 'cp "$1" /srv/lego/tmp/' "$TOP/build/tools/prog/relatives"
placement=/sys/kernel/lego/gmgr/g0/placement
quick g0 'echo rr > $1' $placement
ON_TIMEOUT=200 lrun /tmp/relatives crowd > "$hold.1" 2>&1 &
wait_until 120 grep -q ready "$hold.1"
away=m0 near=m1
if [ "$(homes m1 | wc -l)" -gt 256 ]; then
	away=m1 near=m0
fi
[ "$(homes "$away" | wc -l)" -gt 256 ]
tap_ok $? "some hundred processes have one mComponent for their home"
homes "$near" > "$hold.2"
ON_TIMEOUT=200 lrun sleep 600 &
one() { homes "$near" | comm -13 "$hold.2" - | grep .; } # its space, or none
wait_until 20 one
tap_ok $? "and one has another"
quick g0 'echo free > $1' $placement

expect_log "$away|no answer|could not give space"
expect_log 'is ended: mComponent|mComponent .* not reached'
quick $away 'echo 1 > /sys/kernel/debug/lego/nodes/$1/fault/drop' $away
on p0 pkill -9 -x relatives
no_crowd() { [ "$(quick p0 'cat /proc/[0-9]*/comm' | grep -c relatives)" = 0 ]; }
wait_until 30 no_crowd
on p0 pkill -9 -x sleep
no_one() { [ -z "$(one)" ]; }
wait_until 20 no_one
left=$(attr p0 pcomp/p0/processes)
[ "$left" -gt 256 ]
tap_ok $? "while these wait for it to come back, what the other has is given back"
tap_note "$left wait"
wait
tap_like "$(cat "$hold")" "mComponent $away died" \
	"a program ends when an mComponent that it uses is away"
quick $away 'echo 0 > /sys/kernel/debug/lego/nodes/$1/fault/drop' $away
wait_until 40 none_held
tap_is "$(held)" 0 "an mComponent that is back holds nothing of them"
rm -f "$hold".?

# each 7th message of the pComponent breaks its connection
quick p0 'echo 7 > /sys/kernel/debug/lego/nodes/p0/fault/fail_qp'
lrun -p p0 /tmp/forks 100 10
tap_is $? 0 "forks wait while connections break"
quick p0 'echo 0 > /sys/kernel/debug/lego/nodes/p0/fault/fail_qp'
wait_until 40 none_held
tap_is "$(held)" 0 "and leaves nothing"

expect_log 'Memory failure: |soft.offline|Soft offlin|Injecting memory failure'
expect_log 'the memory of frame .* has failed|the child.s memory could not be made'
on s0 cp "$TOP/build/tools/prog/poison" /srv/lego/tmp/poison
out=$(lrun -p small /tmp/poison 1500 2>&1)
status=$?
name="what memory that fails takes along is told by SIGBUS, the rest is there"
if [ $status = 4 ]; then
	tap_skip "$name" "this kernel cannot pretend it"
else
	tap_is "$status $out" "0 " "$name"
fi

expect_log 'is ended: the memory of mComponent'
name="a program whose page was in memory that failed at an mComponent is told so"
lrun -p small /tmp/poison owner 1500 /tmp/failed > "$hold" 2>&1 &
program=$!
wait_until 60 grep -q ready "$hold"
out=$(on p0 "$TOP/build/tools/prog/poison" frames 30)
if [ $? = 4 ]; then
	tap_skip "$name" "this kernel cannot pretend it"
	on p0 pkill -9 -x poison
	wait $program
else
	on s0 touch /srv/lego/tmp/failed
	wait $program
	tap_like "$? $(tail -n 1 "$hold")" \
		'^137 .*the memory of mComponent m. that had a page of it has failed' \
		"$name"
	tap_note "in $out frames" "$(cat "$hold")"
fi
wait_until 30 none_held
tap_is "$(held)" 0 "and it leaves nothing"
tap_done
