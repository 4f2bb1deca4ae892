#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files that several mounts change, and the sComponent itself: nothing that was
# written is lost unsaid, and nothing is written over that others wrote.
. "$(dirname "$0")/../lib.sh"

have_vnode test
on_sh s0 'cd /srv/lego && mkdir -p data && cd data && rm -rf coh && mkdir coh &&
	chmod 777 coh' || skip_all "no data"

# Evaluates in a vNode what it reads, a line each.
program=$(
	cat << 'END'
import ctypes, errno, os, sys
from os import *
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p] + 5 * [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_long]
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_long]
# write() of len bytes of which only the first that many are there
def short(fd, data, len):
    p = libc.mmap(None, 8192, 3, 0x22, -1, 0)
    libc.munmap(p + 4096, 4096)
    at = p + 4096 - len_of(data)
    ctypes.memmove(at, data, len_of(data))
    return libc.write(fd, at, len)
len_of = len
# open() as another user
def other(*args):
    seteuid(1000)
    try:
        return os.open(*args)
    finally:
        seteuid(0)
os.chdir("/data/coh")
print("ready", flush=True)
for line in sys.stdin:
    try:
        said = eval(line)
    except OSError as err:
        said = errno.errorcode[err.errno]
    except Exception as err:
        said = repr(err)
    print(repr(said), flush=True)
END
)

# Two of these on two mounts, and the files where they are.
driver=$(
	cat << 'END'
import os, subprocess, sys, time
program, retry_s = sys.argv[1:]
class Mount:
    def __init__(self, options):
        self.run = subprocess.Popen(
            ["lego", "run", "-n", "test", "-p", "p0",
             "-o", f"retry_s={retry_s}{options}", "--",
             "python3", "-c", program], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    def ask(self, what):
        self.run.stdin.write(what + "\n")
    def said(self):
        return eval(self.run.stdout.readline() or '"it died"')
    def __call__(self, what):
        self.ask(what)
        return self.said()
os.chdir("/srv/lego/data/coh")
def here(name):
    with open(name, "rb") as f:
        return f.read()
def make(name, data):
    with open(name, "wb") as f:
        f.write(data)
def append(name, data):
    with open(name, "ab") as f:
        f.write(data)
def check(name, got, want):
    print(int(got == want), name)
    if got != want:
        print("-", f"got {got!r:.200}, wanted {want!r:.200}")
    sys.stdout.flush()

# an unlink whose answer is lost; its time-out is time to begin another program
os.makedirs("/srv/lego/.lego-unlinked", 0o700, exist_ok=True)
drop = "/sys/kernel/debug/lego/nodes/s0/fault/drop"
m1 = Mount("")
m1.run.stdout.readline()
m1('(f := open("u", O_CREAT | O_RDWR), write(f, b"x"), fsync(f), write(f, b"y"))')
m1('path.exists("u")')
with open(drop, "w") as f:
    f.write("1")
m1.ask('unlink("u")')
for i in range(200):
    if not os.path.exists("u"):
        break
    time.sleep(0.05)
with open(drop, "w") as f:
    f.write("0")
m2 = Mount(",attr_ms=0")
m2.run.stdout.readline()
check("an unlink of an open file that was asked for twice is one", m1.said(), None)
check("and the file can be written back", m1('fsync(f)'), None)
check("and read", m1('pread(f, 10, 0)'), b"xy")
m1('close(f)')

# one name of two is removed while it is open
m1('(f := open("t", O_CREAT | O_WRONLY), write(f, b"kept"), link("t", "f"))')
m1('unlink("t"), close(f)')
check("what is closed under a removed name is in the other one", here("f"), b"kept")

# a copy that ends early
make("short", 1000 * b"a")
got = m1('short(f := open("short", O_WRONLY), 500 * b"b", 2000)')
check("a write from memory that ends is short", got, 500)
m1('close(f)')
check("and what it did not get to is as before", here("short"),
      500 * b"b" + 500 * b"a")

# open(O_CREAT) where another mount was faster
m1('path.exists("new"), path.exists("secret")')
make("new", b"old contents")
make("secret", b"mine")
os.chmod("secret", 0o600)
check("open(O_CREAT) of what another has made asks for its mode",
      m1('other("secret", O_CREAT | O_WRONLY, 0o666)'), "EACCES")
m1('path.exists("new2")')
make("new2", b"old contents")
m1('(f := open("new2", O_CREAT | O_TRUNC | O_WRONLY), write(f, b"x"), close(f))')
check("and truncates it", here("new2"), b"x")
make("excl", b"")
check("but O_EXCL is O_EXCL",
      m1('open("excl", O_CREAT | O_EXCL | O_WRONLY)'), "EEXIST")

# what others wrote between two looks at the file
want = b"x" + 99 * b"a" + 100 * b"b"
make("grown", 100 * b"a")
m1('(f := open("grown", O_RDWR), pread(f, 100, 0))')
m2('(g := open("grown", O_WRONLY | O_APPEND), write(g, 100 * b"b"), close(g))')
m1('pwrite(f, b"x", 0), fsync(f)')
check("what others appended shows after one's own write",
      m1('pread(f, 300, 0)'), want)
check("and in the size", m1('fstat(f).st_size'), 200)
m1('pwrite(f, b"y", 1), close(f)')
check("and stays", here("grown"), b"xy" + want[2:])
make("grown2", 100 * b"a")
m2('(f := open("grown2", O_RDWR), pread(f, 100, 0), pwrite(f, b"x", 0))')
append("grown2", 100 * b"b")
check("the end is where others moved it", m2('lseek(f, 0, SEEK_END)'), 200)
m2('close(f)')
check("and a page from before that does not destroy it", here("grown2"), want)
make("grown3", 100 * b"a")
m1('(f := open("grown3", O_RDWR), pread(f, 100, 0))')
append("grown3", 100 * b"b")
m1('(fchmod(f, 0o600), pwrite(f, b"x", 0), close(f))')
check("nor when a change of its mode told of it", here("grown3"), want)
m1('(f := open("grown3", O_RDONLY))')
check("which is read then, too", m1('pread(f, 300, 0)'), want)
m1('close(f)')
make("grown4", 100 * b"a")
m1('(f := open("grown4", O_RDWR), pread(f, 100, 0))')
append("grown4", 100 * b"b")
m1('link("grown4", "linked")')
check("as it is when a link told of it", m1('pread(f, 300, 0)'), b"a" + want[1:])
m1('close(f)')

# open() after another's close(), each time
make("turns", b"00")
stale = []
for i in range(10):
    m1('(f := open("turns", O_RDONLY), pread(f, 9, 0), close(f))')
    m2(f'(f := open("turns", O_WRONLY), write(f, b"{i + 10}"), close(f))')
    got = m1('(f := open("turns", O_RDONLY), pread(f, 9, 0), close(f))')
    if got[1] != b"%d" % (i + 10):
        stale.append((i, got[1]))
check("what one closes another opens", stale, [])
make("same", b"old")
there = os.stat("same")
m1('(f := open("same", O_RDONLY), pread(f, 9, 0), close(f))')
make("same.new", b"new")
os.utime("same.new", ns=(there.st_atime_ns, there.st_mtime_ns))
os.rename("same.new", "same")
check("and a new file of the same size and time",
      m1('(f := open("same", O_RDONLY), pread(f, 9, 0), close(f))')[1], b"new")
with open("same", "r+b") as f:
    f.write(b"own")
os.utime("same", ns=(there.st_atime_ns, there.st_mtime_ns))
check("or the old one whose time was set back",
      m1('(f := open("same", O_RDONLY), pread(f, 9, 0), close(f))')[1], b"own")
m1('(f := open("turns", O_WRONLY | O_APPEND), fstat(f).st_size)')
append("turns", b"theirs")
m1('write(f, b"mine"), close(f)')
check("what is appended comes after what others have appended", here("turns"),
      b"19theirsmine")

# a file that another takes the name of
make("file", b"one")
m2('(g := open("file.new", O_CREAT | O_WRONLY), write(g, b"theirs!"), close(g))')
m1('(f := open("file", O_WRONLY), write(f, b"mine"))')
m2('rename("file.new", "file")')
got = m1('close(f)')
check("close() says that the file is not there any more",
      "ESTALE" if got == "EIO" else got, "ESTALE") # EIO: written back before
check("and the one that has its name is not written to", here("file"), b"theirs!")
m2('(f := open("file", O_RDWR), write(f, b"mine"))')
make("file.new", b"others'")
os.rename("file.new", "file")
check("nor is it taken for it before", m2('lseek(f, 0, SEEK_END)'), "ESTALE")
check("or cut", m2('ftruncate(f, 0)'), "ESTALE")
m2('close(f)')
check("or written to", here("file"), b"others'")
check("by its name it can be changed",
      m1('[chmod("file", 0o640), stat("file").st_mode & 0o777]'), [None, 0o640])

# a file whose name another mount changes or removes while it is open
make("renamed", b"one")
m1('(f := open("renamed", O_RDWR), write(f, b"two"))')
m2('rename("renamed", "renamed.to")')
got = m1('close(f)')
check("close() says so if the file has another name now", got, "ESTALE")
check("which is not written to", here("renamed.to"), b"one")
make("removed", 8192 * b"r")
m1('(f := open("removed", O_RDWR))')
m2('unlink("removed")')
check("what another mount has removed is not read", m1('pread(f, 10, 0)'),
      "ESTALE")
check("and who writes to it is told", m1('(write(f, b"x"), fsync(f))'), "ESTALE")
m1('close(f)')
for m in m1, m2:
    m.run.stdin.close()
    m.run.wait()
END
)

while read -r good name; do
	case $good in
	[01]) tap_ok $((1 - good)) "$name" ;;
	*) tap_note "$good $name" ;;
	esac
done < <(on p0 python3 -c "$driver" "$program" $((30 * slow)) 2>&1)
tap_is "$tap_nr" 31 "all of that was tried"
tap_done
