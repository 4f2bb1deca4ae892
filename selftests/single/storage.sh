#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# A vNode's files on a file system that can be frozen and fails: what its
# programs see is what they would see there on plain Linux, and what they are
# told is true.
. "$(dirname "$0")/../lib.sh"

# s8 serves an ext4 of its own
dir=/run/s8
ON_TIMEOUT=200
on_sh s0 'modprobe -a loop dm-mod ext4 && mkdir -p $1 &&
	truncate -s 128M $1.img && loop=$(losetup -f --show $1.img) &&
	export DM_DISABLE_UDEV=1 &&
	dmsetup create s8 --table "0 262144 linear $loop 0" &&
	mkfs.ext4 -q -b 4096 /dev/mapper/s8 && mount /dev/mapper/s8 $1 &&
	chmod 755 $1 && cp "$(readlink -f "$(type -P busybox)")" $1/busybox &&
	cp "$2"/{away,killed,rights} $1 && mkdir -m 777 $1/{plain,vnode} &&
	cd /sys/kernel/config/lego/scomp && mkdir s8 && cd s8 &&
	echo loop:s8 > addr && echo loop:g0 > gmgr && echo $1 > dir &&
	echo 1 > enable && lego vnode create s8 --storage s8' \
	$dir "$TOP/build/tools/prog" || skip_all "no ext4 on a device of ours"

# Whose rights count, and long names.
plain=$(on s0 $dir/rights $dir/plain 2>&1)
vnode=$(on p0 lego run -n s8 -p p0 -- /rights /vnode 2>&1)
section() { # TEXT NAME
	awk -v head="= $2" '/^= / { on = $0 == head } on' <<< "$1"
}
while read -r name; do
	tap_is "$(diff <(section "$plain" "$name") <(section "$vnode" "$name"))" \
		"" "$name are as on Linux"
done < <(sed -n 's/^= //p' <<< "$plain")
tap_like "$(on p0 lego run -n s8 -p p0 -- /vnode/script 2>&1)" interpreter \
	"a script without its interpreter is said to be that"

# A program that is killed while the sComponent has its request: what it changed
# is changed when it is dead, or never.
out=$(on_sh p0 'cd /run; rm -f in out; mkfifo in out
	# requests that s8 has got and that change files
	got() {
		busybox awk "/CREATE|REMOVE|RENAME|LINK|SETATTR/ {
			sum += \$2 } END { print sum }" \
			/sys/kernel/debug/lego/scomp/s8/ops
	}
	files() {
		busybox stat -c "%n %s %a %h" $dir/killed.d/* $dir/killed.d/*/*
	}
	# round N NAME: N requests are under way, and their programs are killed
	round() {
		local base=$(got) i=0 before
		fsfreeze -f $dir
		echo >&7
		read -r -u 8
		until [ $(got) -ge $((base + $1)) ] || [ $((i += 1)) -gt 200 ]; do
			sleep 0.1
		done
		echo >&7
		# those that wait for their requests do so till they are executed
		read -r -t 5 -u 8 || { fsfreeze -u $dir; read -r -u 8; }
		before=$(files)
		fsfreeze -u $dir 2> /dev/null
		sync -f $dir
		sleep 1
		if [ "$before" = "$(files)" ]; then
			echo "1 $2"
		else
			echo "0 $2"
			diff <(echo "$before") <(files) | sed "s/^/- /"
		fi
	}
	dir=$1
	mkdir $dir/killed.d
	lego run -n s8 -p p0 -o retry_s=60 -- /killed /killed.d < in > out &
	exec 7> in 8< out
	read -r -u 8
	round 7 "what a killed program changes is not changed after its end"
	round 1 "nor is a name, when a rename was killed"
	round 1 "nor when another file had the new name"
	echo >&7
	exec 7>&- 8>&-
	wait' $dir 2>&1)
expect_log "s8: storage s8 does not answer"

# It goes away, and comes back.
out+=$'\n'$(on_sh p0 'cd /run; rm -f in out; mkfifo in out; dir=$1
	s8() {
		echo $1 > /sys/kernel/config/lego/scomp/s8/enable
	}
	# away COMMAND...: /away does that; it reads from 7, 8 is what it says
	away() {
		lego run -n s8 -p p0 -o retry_s=2 -- /away "$@" < in > out &
		run=$!
		exec 7> in 8< out
		read -r said <&8
	}
	in_call() { # PID: it waits for its files, in a system call
		busybox grep -q pcomp_fs /proc/$1/stack
	}
	try() { # SECONDS COMMAND...
		local end=$((SECONDS + $1))
		shift
		until "$@" 2> /dev/null; do
			[ $SECONDS -lt $end ] || return 1
			sleep 0.2
		done
	}

	# a program that has written ends
	away late /late
	s8 0
	[ ! -s $dir/late ] && [ ! -s $dir/late.19 ]
	echo "$((! $?)) what a program has written is not at the sComponent yet"
	echo >&7
	exec 7>&- 8>&-
	ended() { ! kill -0 $run; }
	try 20 ended # not 2 s for each of its files
	echo "$((! $?)) a program that ends while its sComponent is away is not held up"
	[ ! -s $dir/late ] || echo "- it had been written before that"
	s8 1
	all_there() {
		[ $(cat $dir/late $dir/late.* | busybox wc -c) = 80 ]
	}
	try 20 all_there
	echo "$((! $?)) and what it wrote is there when the sComponent is"

	# programs are killed that wait for what they and others have written
	away killed /both /both2
	set -- $1 $said
	s8 0
	echo >&7
	try 10 in_call $3 && try 10 in_call $4
	echo "$((! $?)) fsync() and truncate() wait for a sComponent that is away"
	echo >&7
	read -r -t 20 -u 8 said
	echo "$((! $?)) a program that is killed there is not held up"
	sleep 4 # longer than retry_s
	s8 1
	echo >&7
	read -r -u 8 said
	[ "$said" = "Success, Success" ]
	echo "$((! $?)) and what others wrote to the file is not lost"
	echo "- $said"
	exec 7>&- 8>&-
	wait
	[ "$(busybox head -c 6 $dir/both; busybox tail -c 5 $dir/both
		cat $dir/both2)" = parentchildparent ]
	echo "$((! $?)) nor is what it wrote itself"

	away append /both
	s8 0
	echo >&7
	read -r -t 20 -u 8 said
	echo "$((! $?)) a program that waits for another to write can be killed"
	s8 1
	exec 7>&- 8>&-
	wait' $dir 2>&1)

# Another mount replaces a file.
out+=$'\n'$(on_sh p0 'cd /run; rm -f in out; mkfifo in out
	head -c 4M /dev/zero > $1/map
	lego run -n s8 -p p0 -o attr_ms=100 -- /away mapped /map < in > out &
	run=$!
	exec 7> in 8< out
	read -r -u 8
	cp $1/map $1/map.new && mv $1/map.new $1/map
	echo >&7
	wait $run
	[ $? = 135 ] && dmesg | tail -n 30 | busybox grep -q "file .*map of away"
	echo "$((! $?)) a program whose file another mount replaced ends, and the log says so"' \
	$dir 2>&1)

# A block that cannot be read.
out+=$'\n'$(on_sh p0 'export DM_DISABLE_UDEV=1
	table() {
		dmsetup suspend s8
		dmsetup reload s8 --table "$1" && dmsetup resume s8
	}
	head -c 4M /dev/urandom > $1/big
	sync -f $1
	loop=$(losetup -j $1.img | cut -d: -f1)
	at=$(debugfs -R "bmap /big 300" /dev/mapper/s8 2> /dev/null)
	at=$((at * 8)) # sectors
	table "0 $at linear $loop 0
$at 8 error
$((at + 8)) $((262144 - at - 8)) linear $loop $((at + 8))"
	echo 3 > /proc/sys/vm/drop_caches
	lego run -n s8 -p p0 -- /busybox cat /big > /run/got 2> /run/err
	status=$?
	size=$(stat -c %s /run/got)
	[ $status = 1 ] && grep -q "Input/output error" /run/err
	echo "$((! $?)) a block that cannot be read is an error of read()"
	table "0 262144 linear $loop 0"
	[ "$size" -lt $((301 * 4096)) ] && cmp -n "$size" $1/big /run/got
	echo "$((! $?)) and what was read before it is right"
	lego run -n s8 -p p0 -- /busybox cat /big | cmp - $1/big
	echo "$((! $?)) when it can be read again it is"' $dir 2>&1)
expect_log "I/O error|EXT4-fs"
while read -r good name; do
	case $good in
	[01]) tap_ok $((1 - good)) "$name" ;;
	*) tap_note "$good $name" ;;
	esac
done <<< "$out"
tap_is $tap_nr 21 "all of that was tried"
on_sh s0 'lego vnode rm s8; rmdir /sys/kernel/config/lego/scomp/s8
	umount $1; DM_DISABLE_UDEV=1 dmsetup remove s8
	losetup -d $(losetup -j $1.img | cut -d: -f1); rm $1.img' $dir
tap_done
