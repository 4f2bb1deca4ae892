#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
# Unmodified programs give in a vNode the results they give on plain Linux,
# with an ExCache of at most a quarter of what they touch.
. "$(dirname "$0")/../lib.sh"

in_both "$(lines 28000)" || skip_all "no data"
in_both 'cat > work.py << END
import hashlib, subprocess, threading
count = {}
for line in open("/data/lines"):
    count[line] = count.get(line, 0) + 1
def work(n):
    out[n] = hashlib.sha256(str(sorted(count)[n::4]).encode()).hexdigest()
out = {}
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(count), sorted(out.items()))
print(hashlib.sha256(b"x" * (1 << 20)).hexdigest())
print(subprocess.check_output("wc -l < /data/lines; exit 0", shell=True))
END
cat > hello.c << END
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	char *p = malloc(1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		p[i] = i * 7;
	unsigned int sum = 0;
	for (int i = 0; i < 1 << 20; i++)
		sum = sum * 31 + p[i];
	printf("%u\n", sum);
	return 3;
}
END'
in_both "$(lines 80000 | sed 's/> lines/> many/')
	head -n 12000 many > few"
have_vnode test
have_pcomp q1 1
have_pcomp q2 2
have_pcomp small 4
have_pcomp half 12

touched() { # PCOMP: pages that programs there touched
	attr p0 "pcomp/$1/first_touches"
}

ON_TIMEOUT=200 # where other programs keep the processors busy

# quarter NAME PCOMP COMMAND...: the same results, though the ExCache of PCOMP
# holds at most a quarter of what it touches
quarter() {
	local name=$1 pcomp=$2 frames before
	shift 2
	frames=$(($(attr p0 "pcomp/$pcomp/excache_bytes") / 4096))
	before=$(touched "$pcomp")
	same "$name" -p "$pcomp" "$@"
	before=$(($(touched "$pcomp") - before))
	[ $before -ge $((4 * frames)) ]
	tap_ok $? "$name: ExCache is at most a quarter of what it touches"
	tap_note "$before pages touched, $frames in ExCache"
}

quarter "sort" q1 sort /data/many
quarter "sort of four threads" q1 sort --parallel=4 /data/many
quarter "python3, with threads and a child" q2 python3 /data/work.py
quarter "sqlite3" q1 sqlite3 :memory: '.mode csv' 'create table t(l)' \
	'.import /data/many t' 'create index i on t(l)' \
	'select count(*), min(l), max(l) from t' \
	'select substr(l, 1, 1), count(*) from t group by 1 order by 1'
quarter "a pipeline" q1 sh -c \
	'grep . /data/many | sort -r | head -n 1000 | awk "{ s += \$2 } END { print s }"'
quarter "gcc, and what it made" q2 sh -c 'cd /tmp &&
	gcc -O2 -o hello /data/hello.c && ./hello; echo $?'
quarter "xz with two threads" q2 sh -c 'xz -T2 -c /data/few | xz -dc | md5sum'
same "an exit status through sh" -p small sh -c 'exit 41'
same "writing and reading a file back" -p small sh -c 'cd /tmp &&
	sort -r /data/lines > back && tac back | md5sum && rm back'
same "a static program" -p small busybox sort /data/lines
same "cannot: a program that does not exist" sh -c 'nonexistent-program; echo $?'

lrun -p half stress-ng --vm 2 --vm-bytes 24M --vm-method all --verify --vm-ops 400 \
	--timeout 120 > /dev/null 2>&1
tap_ok $? "stress-ng --vm --verify finds no wrong bit, with ExCache at half"

wait_until 20 none_held
tap_is "$(held)" 0 "after all that the mComponents hold nothing"
tap_done
