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
# as they were built for the tests
to=(-C "$TOP" KDIR="$kdir" BUILD="$TOP/build/$KERNEL" DESTDIR="$tmp/root"
	KFLAGS="W=1 KCFLAGS=-Werror KDOC_WERROR=1 CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_DEBUG_INFO=")

out=$(make "${to[@]}" install 2>&1)
tap_ok $? "make install"
! grep -i error <<< "$out"
tap_ok $? "and it speaks of no error"
out=$(modprobe -d "$tmp/root" -S "$release" -n -v pcomp name=p0)
tap_like "$out" 'lite_rpc\.ko' "modprobe finds pcomp, and what it needs first"
for m in lite_rpc gmgr mcomp scomp pcomp; do
	tap_check "modprobe knows $m" modprobe -d "$tmp/root" -S "$release" -n $m
done
tap_check "lego is in PATH" test -x "$tmp/root/usr/local/sbin/lego"
tap_check "its manual page is there" \
	test -s "$tmp/root/usr/local/share/man/man8/lego.8"
root=$tmp/root/usr/local
for page in man3/liblite.3 man4/lite.4 man1/lite-kv.1 man1/lite-pingpong.1; do
	tap_check "the manual page $page is well formed" sh -c \
		'! man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 > /dev/null |
		grep .' sh "$root/share/man/$page"
done
cat > "$tmp/prog.c" << 'END'
#include <stdio.h>
#include <liblite.h>

int main(void)
{
	struct lite *l = lite_open("prog", NULL);

	if (!l)
		perror("lite_open");
	lite_close(l);
	return 0;
}
END
tap_check "a program is linked with liblite" gcc -I "$root/include" \
	-L "$root/lib" -o "$tmp/prog" "$tmp/prog.c" -llite
tap_like "$(LD_LIBRARY_PATH=$root/lib "$tmp/prog" 2>&1)" \
	'^lite_open: No such file' "and runs; it says that there is no /dev/lite"
tap_check "make uninstall" make "${to[@]}" uninstall
tap_is "$(find "$tmp/root" ! -type d \( -name '*.ko*' -o -path '*lego*' \
	-o -name '*lite*' \))" "" \
	"nothing is left of it"
out=$(make -C "$TOP" install KDIR=/nonexistent 2>&1)
[ $? != 0 ]
tap_ok $? "without a kernel's headers it fails"
tap_like "$out" 'install linux-headers' "and says what to install"
tap_done
