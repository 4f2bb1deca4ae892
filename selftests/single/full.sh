#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A sComponent that has no room: who writes is told, and what could not be
# written is not there to be read.
. "$(dirname "$0")/../lib.sh"

# s9: 4 MiB, with little in it but a shell
small=/run/small
on_sh s0 'mkdir -p $1 && mount -t tmpfs -o size=4m none $1 &&
	cp "$(readlink -f "$(type -P busybox)")" $1/busybox &&
	cp "$2" $1/full && cd /sys/kernel/config/lego/scomp &&
	mkdir s9 && cd s9 && echo loop:s9 > addr && echo loop:g0 > gmgr &&
	echo $1 > dir && echo 1 > enable && lego vnode create small --storage s9' \
	$small "$TOP/build/tools/prog/full" || skip_all "no second sComponent"

out=$(on_sh p0 'head -c 8M /dev/zero > $1/fill 2> /dev/null
	lego run -n small -p p0 -- /busybox sh -c "echo x > /f; echo status \$?" 2>&1
	stat -c "size %s" $1/f
	rm $1/fill
	lego run -n small -p p0 -- /busybox sh -c "echo y > /f && read x < /f && echo \$x"
	lego run -n small -p p0 -- /full /big 2>&1' $small)
tap_like "$out" "No space left" "a write on a full sComponent fails"
tap_like "$out" "status 1" "and its program sees it"
tap_like "$out" "^y$" "when there is room again it succeeds"
while read -r good name; do
	case $good in
	[01]) tap_ok $((1 - good)) "$name" ;;
	*) tap_note "$good $name" ;;
	esac
done < <(grep -a '^[01-] ' <<< "$out")
tap_is $tap_nr 8 "all of that was tried"
on_sh s0 'lego vnode rm small; rmdir /sys/kernel/config/lego/scomp/s9
	umount $1' $small
tap_done
