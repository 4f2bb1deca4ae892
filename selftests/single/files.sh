#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 180
# What the sComponent does with a vNode's files, where plain Linux does it by
# itself.
. "$(dirname "$0")/../lib.sh"

have_vnode test
here=/srv/lego/data/files
drop=/sys/kernel/debug/lego/nodes/s0/fault/drop
out=$(mktemp)
out2=$(mktemp)
trap 'rm -f "$out" "$out2"' EXIT

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
def at_once(*calls): # each in a thread of its own, and a directory
    def run(i):
        said[i] = what(*calls[i])
    said = [None] * len(calls)
    threads = [threading.Thread(target=run, args=(i,))
               for i in range(len(calls))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return said
os.chdir("/data/files")
END
		cat
	)
	on p0 lego run -n test -p p0 -o "retry_s=$((30 * slow))${1:+,$1}" -- \
		python3 -c "$run" 2>&1
}

# at_server SCRIPT [ARGUMENT...]: shell where the files are
at_server() {
	quick s0 "cd $here && $1" "${@:2}"
}

all_wait() {
	[ "$(cat "$out" "$out2" | grep -c waits)" = "$1" ]
}

# unheard N: when N programs wait, the sComponent's answers are lost and they go on
unheard() {
	# soon after each other: without heartbeats it is dead in 5 s
	wait_until 40 all_wait "$1" &&
		on_sh p0 'pids=$(pgrep -x python3); echo 1 > "$1"
			kill -USR1 $pids' $drop
}

# said N: line N of what it printed then
said() {
	sed -n "$(($1 + 1))p" "$out"
}

# What is asked for again, as the answer was lost, is not executed again. The
# programs do the like before, so that none of their own pages is missing then.
quick s0 'mkdir -p $1 && cd $1 && mkdir o1 o2 o2/x o3 o4 o5 o6 o6/r o7 &&
	mkdir cold && touch o1/x o3/u o5/x && echo a > o4/a && echo b > o4/b' $here ||
	skip_all "no data"
py attr_ms=60000 > "$out" << END &
new = os.O_CREAT | os.O_EXCL | os.O_WRONLY
at_once((os.open, "o1/w", new), (os.mkdir, "o2/w"),
        (os.symlink, "there", "o5/w"), (os.unlink, "o3/w"),
        (os.rmdir, "o6/w"), (os.open, "o7/w", new))
[os.lstat(s) for s in ("o1", "o2", "o3/u", "o5", "o6/r", "o7")]
wait()
print(*at_once((os.open, "o1/x", new), (os.mkdir, "o2/x"),
               (os.symlink, "there", "o5/x"), (os.unlink, "o3/u"),
               (os.rmdir, "o6/r"), (os.open, "o7/n", new)))
END
# in a mount of its own, which other options make: it waits till no call is out
py attr_ms=59000 > "$out2" << END &
os.rename("o4/b", "o4/w"), os.rename("o4/w", "o4/b")
[os.lstat(s) for s in ("o4/a", "o4/b")]
wait()
print(what(os.rename, "o4/a", "o4/b"))
END
executed() {
	at_server '[ -e o7/n ] && for f in o3/u o6/r o4/a; do
		[ ! -e $f ] || exit; done'
}
unheard 2
wait_until 10 executed
tap_ok $? "requests are executed whose answers are lost"
at_server 'echo new > o3/u; mkdir o6/r; echo new > o4/a; echo 0 > '$drop

# Meanwhile, in a third mount: a file that is executed at the server cannot be
# written to.
free() {
	quick s0 'stat -f -c %f /run/srv'
}
on_sh s0 'cd $1 && cp "$(type -P sleep)" prog && head -c 24M /dev/zero >> prog &&
	chmod 755 prog && (./prog 60 > /dev/null 2>&1 &)' $here
before=$(free)
# modes of what is made with these, and no umask
make='os.umask(0)
os.close(os.open("f", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
os.close(os.open("g", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755))
os.mkdir("d", 0o777); os.mkfifo("p", 0o622)'
acl=$(on s0 python3 -c "import os, struct
def make():
    $(sed '2,$s/^/    /' <<< "$make")
def entries(*all):
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *e) for e in all)
acl = entries((1, 7, -1), (4, 5, -1), (32, 0, -1))
os.umask(0)
for d in ('bare', 'bare2', 'acl', 'acl2'):
    os.chdir('$here')
    os.mkdir(d)
    if d[0] == 'a':
        os.setxattr(d, 'system.posix_acl_default', acl)
    os.chdir(d)
    if d[-1] == '2':
        make()
os.chdir('$here')
os.mkdir('kept') # its mode says that the group may write
open('kept/f', 'w').close()
os.chown('kept', 1, 0)
os.setxattr('kept', 'system.posix_acl_access', entries((1, 7, -1), (2, 7, 2),
            (4, 5, -1), (16, 7, -1), (32, 0, -1)))
print('yes')" 2> /dev/null)
append=$(at_server 'echo one > log && chattr +a log && echo yes' 2> /dev/null)
results=$(py << END
fd = os.open("prog", os.O_RDWR)
os.pwrite(fd, b"x", 20 << 20)
print(what(os.fsync, fd))
at = os.open(".", os.O_RDONLY)
print(what(os.lseek, at, 40, os.SEEK_END), what(os.lseek, at, -1, os.SEEK_SET),
      os.lseek(at, 2, os.SEEK_SET), os.lseek(at, 3, os.SEEK_CUR))
os.mkdir("gone")
at = os.open("gone", os.O_RDONLY)
os.rmdir("gone")
print(what(os.fsync, at))
os.seteuid(65534)
print(what(os.mkdir, "cold"), what(os.open, "cold", os.O_CREAT | os.O_EXCL))
os.seteuid(0)
for d in "bare", "acl":
    os.chdir(d)
    $(sed '2,$s/^/    /' <<< "$make")
    os.chdir("..")
def write(flags):
    fd = os.open("log", os.O_WRONLY | flags)
    try:
        os.write(fd, b"two")
        os.fsync(fd)
    finally:
        os.close(fd)
if "$append":
    print(what(os.truncate, "log", 0), what(os.truncate, "log", 100),
          what(os.open, "log", os.O_WRONLY | os.O_TRUNC),
          what(write, 0), what(write, os.O_APPEND))
if os.access("kept", os.F_OK):
    os.seteuid(65534)
    fd = os.open("kept/f", os.O_RDONLY)
    print("kept:", what(os.unlink, "kept/f"))
END
)
tap_is "$(head -n 1 <<< "$results")" EIO \
	"a program that runs at the server is not written to"
tap_is "$(sed -n 2p <<< "$results")" "EINVAL EINVAL 2 5" \
	"a position in a directory is not counted from its end"
tap_is "$(sed -n 3p <<< "$results")" "done" "a directory that is removed is stable"
tap_is "$(sed -n 4p <<< "$results")" "EEXIST EEXIST" \
	"who may not write to a directory is told what is there"
quick s0 "kill \$(pidof prog); rm $here/prog"
given_back() { [ $(($(free) - before)) -gt 6000 ]; } # of 6144 blocks
tap_check "its room is given back when it is removed" wait_until 5 given_back

modes() {
	at_server 'cd $1 && stat -c "%n %a" *' "$1"
}
bare=$(modes bare)
tap_is "$bare" "$(printf '%s\n' 'd 777' 'f 666' 'g 755' 'p 622')" \
	"what a program makes has the mode it asked for"
tap_is "$bare" "$(modes bare2)" "as on Linux"
if [ "$acl" ]; then
	acl=$(modes acl)
	tap_like "$acl" '^f 640$' "a directory's default ACL counts"
	tap_is "$acl" "$(modes acl2)" "as on Linux, too"
	tap_is "$(sed -n 's/^kept: //p' <<< "$results")" EACCES \
		"a file that is open stays where its directory's ACL says so"
else
	tap_skip "a directory's default ACL counts" "no ACLs here"
fi

if [ "$append" ]; then
	tap_is "$(sed -n 5p <<< "$results")" "EPERM EPERM EPERM EPERM done" \
		"an append-only file is appended to, neither cut nor written over"
	tap_is "$(at_server 'cat log; chattr -a log')" "$(printf 'one\ntwo')" \
		"and has what it had before"
else
	tap_skip "an append-only file is not written to" "no such attribute here"
fi

wait
tap_is "$(said 1) $(tail -n 1 "$out2")" "EEXIST EEXIST EEXIST done done done done" \
	"each gets the answer that was lost"
tap_is "$(at_server 'cat o3/u o4/a o4/b; ls o6' | tr '\n' ' ')" "new new a r " \
	"and what others made meanwhile is as it was"

# That a name is there already does not mean that it was made by us, nor that it
# is not gone that we did not remove it, if the sComponent is another one.
at_server 'mkdir l1 l2 l3 l4 m1 m2 m3 m4 m5 m6 m7 m7/a m8
	for f in l1/a l2/a l5 l6 m6/a m8/a; do echo a > $f; done
	echo b > m8/b'
: > "$out2"
py attr_ms=60000 > "$out" << END &
fd = os.open("written", os.O_CREAT | os.O_WRONLY)
os.write(fd, b"x")
os.close(os.dup(fd)) # it gets to the sComponent
new = os.O_CREAT | os.O_EXCL | os.O_WRONLY
at_once((os.link, "l1/a", "l1/w"), (os.symlink, "there", "l3/w"),
        (os.open, "m1/w", new), (os.mkdir, "m3/w"), (os.unlink, "m6/w"),
        (os.rmdir, "m7/w"))
end = [os.open(s, os.O_WRONLY | os.O_APPEND) for s in ("l5", "l6")]
[os.write(f, b"b\n") for f in end]
[os.lstat(s) for s in ("l1/a", "l2/a", "l3", "l4", "m1", "m2", "m3", "m4",
                       "m5", "m6/a", "m7/a")]
wait()
at = at_once((os.link, "l1/a", "l1/b"), (os.link, "l2/a", "l2/b"),
             (os.symlink, "there", "l3/b"), (os.symlink, "there", "l4/b"),
             (os.write, end[0], b"c\n"), (os.write, end[1], b"c\n"),
             (os.open, "m1/b", new), (os.open, "m2/b", new),
             (os.mkdir, "m3/b"), (os.mkdir, "m4/b"),
             (os.symlink, "there", "m5/b"), (os.unlink, "m6/a"),
             (os.rmdir, "m7/a"))
print(*at[:6])
print(*at[6:])
print(what(os.fsync, fd))
END
py attr_ms=59000 > "$out2" << END &
os.rename("m8/b", "m8/w"), os.rename("m8/w", "m8/b")
[os.lstat(s) for s in ("m8/a", "m8/b")]
wait()
print(what(os.rename, "m8/a", "m8/b"))
END
executed() {
	at_server 'for f in l1/b l2/b m1/b m2/b m3/b m4/b; do
			[ -e $f ] || exit; done
		for f in l3/b l4/b m5/b; do [ -L $f ] || exit; done
		for f in m6/a m7/a m8/a; do [ ! -e $f ] || exit; done
		grep -q c l5 && grep -q c l6'
}
unheard 2
wait_until 10 executed
tap_ok $? "names are made and removed"
# l5 is as after a crash: what was written last is not on the disk
at_server 'rm l1/b l3/b; echo other > l1/b; ln -s here! l3/b
	truncate -s 4 l5
	rm m2/b m5/b; rmdir m4/b; : > m2/b; mkdir m4/b; ln -s there m5/b
	echo other > m6/a; echo other > m8/a
	echo 0 > $1; rmmod scomp && insmod $2 name=s0 addr=loop:s0 gmgr=loop:g0 \
		dir=/srv/lego' $drop "$TOP/build/$KERNEL/scomp/scomp.ko"
wait
tap_is "$(said 1)" "EEXIST done EEXIST done done EIO" \
	"when they are asked for again, those of others are not taken for them"
tap_is "$(at_server 'cat l1/b; readlink l3/b')" "$(printf 'other\nhere!')" \
	"and are as they were"
tap_is "$(said 2)" "done EEXIST done EEXIST EEXIST done done" \
	"nor are files and directories"
tap_is "$(tail -n 1 "$out2")" "done" "a rename is done"
tap_is "$(at_server 'cat m6/a m8/a m8/b')" "$(printf 'other\nother\na')" \
	"and what others have put in place of what was removed or renamed is there"
tap_is "$(at_server 'cat l5 l6 | tr "\n" " "')" "a b c a b c " \
	"and what was appended is there once"
tap_is "$(said 3)" "done" \
	"what was written is not lost when scomp is loaded again"

on s0 rm -rf $here
tap_done
