#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the sComponent does with a vNode's files, where plain Linux does it by
# itself.
. "$(dirname "$0")/../lib.sh"

have_vnode test
in_both 'rm -rf files; mkdir files' || skip_all "no data"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# py: python3 in the vNode, in /data/files; the program is standard input
py() {
	local run
	run=$(printf 'import errno, os, sys\nos.chdir("/data/files")\n%s' "$(cat)")
	lrun python3 -c "$run" "$@" 2>&1
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
try:
    os.fsync(fd)
except OSError as err:
    print(errno.errorcode[err.errno])
END
)" EIO "a program that runs at the server is not written to"
quick s0 'kill $(pidof prog); rm /srv/lego/data/files/prog'
# 24 MiB are 6144 blocks
given_back() { [ $(($(free) - before)) -gt 6000 ]; }
tap_check "its room is given back when it is removed" wait_until 5 given_back

tap_done
