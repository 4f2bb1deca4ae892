#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# kernels: 6.1 6.12
# make install puts everything where modprobe, sh and man look for it, and make
# uninstall takes it away.
. "$(dirname "$0")/../lib.sh"

kdir=$("$TOP/tools/rack/kernels" "$KERNEL")/build
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	"$kdir/include/generated/utsrelease.h")
PATH=$PATH:/usr/sbin:/sbin
to=(-C "$TOP" KDIR="$kdir" BUILD="$tmp/build" DESTDIR="$tmp/root")

tap_check "make install" make "${to[@]}" install
out=$(modprobe -d "$tmp/root" -S "$release" -n -v pcomp name=p0)
tap_like "$out" 'lite_rpc\.ko' "modprobe finds pcomp, and what it needs first"
for m in lite_rpc gmgr mcomp scomp pcomp; do
	tap_check "modprobe knows $m" modprobe -d "$tmp/root" -S "$release" -n $m
done
tap_check "lego is in PATH" test -x "$tmp/root/usr/local/sbin/lego"
tap_check "its manual page is there" \
	test -s "$tmp/root/usr/local/share/man/man8/lego.8"
tap_check "make uninstall" make "${to[@]}" uninstall
tap_is "$(find "$tmp/root" -name '*.ko*' -o -path '*lego*' -type f)" "" \
	"nothing is left of it"
out=$(make -C "$TOP" install KDIR=/nonexistent 2>&1)
[ $? != 0 ]
tap_ok $? "without a kernel's headers it fails"
tap_like "$out" 'install linux-headers' "and says what to install"
tap_done
