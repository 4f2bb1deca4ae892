#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 600
# Unmodified programs give in a vNode the results they give on plain Linux,
# with an ExCache far smaller than what they touch.
. "$(dirname "$0")/../lib.sh"

in_both "$(lines 20000)" || skip_all "no data"
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
have_vnode test
have_pcomp small 4

same "sort" -p small sort /data/lines
same "sort of four threads" -p small sort --parallel=4 /data/lines
same "python3, with threads and a child" -p small python3 /data/work.py
same "sqlite3" -p small sqlite3 :memory: '.mode csv' 'create table t(l)' \
	'.import /data/lines t' 'create index i on t(l)' \
	'select count(*), min(l), max(l) from t' \
	'select substr(l, 1, 1), count(*) from t group by 1 order by 1'
same "a pipeline" -p small sh -c \
	'grep 7 /data/lines | sort -r | head -n 1000 | awk "{ s += \$2 } END { print s }"'
same "an exit status through sh" -p small sh -c 'exit 41'
same "gcc, and what it made" -p small sh -c 'cd /tmp &&
	gcc -O2 -o hello /data/hello.c && ./hello; echo $?'
same "xz with two threads" sh -c 'xz -T2 -c /data/lines | xz -dc | md5sum'
same "writing and reading a file back" -p small sh -c 'cd /tmp &&
	sort -r /data/lines > back && tac back | md5sum && rm back'
same "a static program" -p small busybox sort /data/lines
same "cannot: a program that does not exist" sh -c 'nonexistent-program; echo $?'

lrun stress-ng --vm 2 --vm-bytes 24M --vm-method all --verify --vm-ops 400 \
	--timeout 120 > /dev/null 2>&1
tap_ok $? "stress-ng --vm --verify finds no wrong bit"

wait_until 20 none_held
tap_is "$(held)" 0 "after all that the mComponents hold nothing"
tap_done
