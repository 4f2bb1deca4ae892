#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the sComponent does with a vNode's files, where plain Linux does it by
# itself.
. "$(dirname "$0")/../lib.sh"

have_vnode test
in_both 'rm -rf files; mkdir files' || skip_all "no data"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# py [OPTIONS]: python3 in the vNode, in /data/files, with mount options; the
# program is standard input
py() {
	local run
	run=$(
		cat << END
import errno, os, signal, sys, threading
def what(call, *args):
    try:
        call(*args)
        return "done"
    except OSError as err:
        return errno.errorcode[err.errno]
def wait(): # for signalled
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    print("waits", flush=True)
    signal.sigwait([signal.SIGUSR1])
os.chdir("/data/files")
END
		cat
	)
	on p0 lego run -n test -p p0 -o "retry_s=$((30 * slow))${1:+,$1}" -- \
		python3 -c "$run" 2>&1
}

# signalled: what waits goes on
signalled() {
	wait_until 20 grep -q waits "$out" && on p0 pkill -USR1 -x python3
}

# at_server SCRIPT: shell where the files are
at_server() {
	quick s0 "cd /srv/lego/data/files && $1" "${@:2}"
}

# a file that is executed at the server cannot be written to
free() {
	quick s0 'sync; stat -f -c %f /run/srv'
}
on_sh s0 'cd /srv/lego/data/files && cp "$(type -P sleep)" prog &&
	head -c 24M /dev/zero >> prog &&
	chmod 755 prog && (./prog 60 > /dev/null 2>&1 &)'
before=$(free)
tap_is "$(py << END
fd = os.open("prog", os.O_RDWR)
os.pwrite(fd, b"x", 20 << 20)
print(what(os.fsync, fd))
END
)" EIO "a program that runs at the server is not written to"
quick s0 'kill $(pidof prog); rm /srv/lego/data/files/prog'
# 24 MiB are 6144 blocks
given_back() { [ $(($(free) - before)) -gt 6000 ]; }
tap_check "its room is given back when it is removed" wait_until 5 given_back

# modes of what is made with these, and no umask
make='os.umask(0)
os.close(os.open("f", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
os.close(os.open("g", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755))
os.mkdir("d", 0o777); os.mkfifo("p", 0o622)'
at_server 'mkdir -m 777 bare bare2 acl acl2'
py <<< "os.chdir('bare'); $make"
on s0 python3 -c "import os; os.chdir('/srv/lego/data/files/bare2'); $make"
modes() {
	at_server 'cd $1 && stat -c "%n %a" *' "$1"
}
tap_is "$(modes bare)" "$(printf '%s\n' 'd 777' 'f 666' 'g 755' 'p 622')" \
	"what a program makes has the mode it asked for"
tap_is "$(modes bare)" "$(modes bare2)" "as on Linux"
if on s0 python3 -c 'import os, struct
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", tag, perm, -1)
	for tag, perm in ((1, 7), (4, 5), (32, 0)))
for d in "acl", "acl2":
    os.setxattr("/srv/lego/data/files/" + d, "system.posix_acl_default", acl)
'; then
	py <<< "os.chdir('acl'); $make"
	on s0 python3 -c "import os; os.chdir('/srv/lego/data/files/acl2'); $make"
	tap_like "$(modes acl)" '^f 640$' "a directory's default ACL counts"
	tap_is "$(modes acl)" "$(modes acl2)" "as on Linux, too"
else
	tap_skip "a directory's default ACL counts" "no ACLs here"
fi

# an append-only file of the server's
if at_server 'echo one > log && chattr +a log' 2> /dev/null; then
	tap_is "$(py << END
def write(flags, off):
    fd = os.open("log", os.O_WRONLY | flags)
    try:
        os.lseek(fd, off, os.SEEK_SET)
        os.write(fd, b"two")
        os.fsync(fd)
    finally:
        os.close(fd)
print(what(os.truncate, "log", 0), what(os.truncate, "log", 100),
      what(os.open, "log", os.O_WRONLY | os.O_TRUNC),
      what(write, 0, 0), what(write, os.O_APPEND, 0))
END
)" "EPERM EPERM EPERM EPERM EPERM" "an append-only file is neither cut nor written to"
	tap_is "$(at_server 'cat log')" one "and is what it was"
	at_server 'chattr -a log; rm log'
else
	tap_skip "an append-only file is not written to" "no such attribute here"
fi

# What was done, but its answer lost, is asked for again. That it is there
# already does not mean that it was made by us, if the sComponent cannot tell.
drop=/sys/kernel/debug/lego/nodes/s0/fault/drop
have() { # FILE...
	at_server 'for f; do [ -e $f ] || [ -L $f ] || exit; done' "$@"
}
again() { # SCRIPT: another sComponent, with other files
	quick s0 'echo 0 > '$drop' && rmmod scomp && cd /srv/lego/data/files &&
		eval "$1" && insmod "$2" name=s0 addr=loop:s0 gmgr=loop:g0 \
		dir=/srv/lego' "$1" "$TOP/build/$KERNEL/scomp/scomp.ko"
}
at_server 'mkdir l1 l2 l3 l4; echo a > l1/a; echo a > l2/a'
py attr_ms=60000 > "$out" << END &
def begin(call, *args):
    os.lstat(os.path.dirname(args[1]))
    t = threading.Thread(target=lambda: said.update({args[1]: what(call, *args)}))
    threads.append(t)
threads, said = [], {}
begin(os.link, "l1/a", "l1/b")
begin(os.link, "l2/a", "l2/b")
begin(os.symlink, "there", "l3/b")
begin(os.symlink, "there", "l4/b")
fd = os.open("written", os.O_CREAT | os.O_WRONLY)
os.write(fd, b"x")
os.close(os.dup(fd)) # it gets to the sComponent
os.lstat("l1/a"), os.lstat("l2/a")
wait()
[t.start() for t in threads]
[t.join() for t in threads]
print(*[said[s] for s in sorted(said)])
print(what(os.fsync, fd))
END
wait_until 20 grep -q waits "$out" && quick s0 'echo 1 > '$drop && signalled
wait_until 10 have l1/b l2/b l3/b l4/b
tap_ok $? "links are made"
again 'rm l1/b l3/b; echo other > l1/b; ln -s here! l3/b'
wait
tap_is "$(sed -n 2p "$out")" "EEXIST done EEXIST done" \
	"when they are asked for again, those of others are not taken for them"
tap_is "$(at_server 'cat l1/b; readlink l3/b')" "$(printf 'other\nhere!')" \
	"and are as they were"
tap_is "$(tail -n 1 "$out")" "done" \
	"what was written is not lost when scomp is loaded again"

tap_done
