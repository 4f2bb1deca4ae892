#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several `lego run` of a vNode at one pComponent are programs of one machine,
# as far as its files go. At two pComponents they are not, and are told so.
. "$(dirname "$0")/../lib.sh"

have_vnode test
here=/srv/lego/data/shared
on_sh s0 'rm -rf $1; mkdir -p $1 && cp "$2" $1/prog && cp "$2" $1/share' $here \
	"$TOP/build/tools/prog/share" || skip_all "no data"

results() {
	local good name
	while read -r good name; do
		case $good in
		[01]) tap_ok $((1 - good)) "$name" ;;
		*) tap_note "$good $name" ;;
		esac
	done
}

# two programs, each in a `lego run` of its own; then, at two pComponents
results < <(on_sh p0 'run="lego run -n test -p p0 --"
	$run /data/shared/prog hold /data/shared > /tmp/hold 2>&1 &
	i=0
	until [ -e "$1/ready" ] || [ $((i += 1)) -gt 400 ]; do sleep 0.1; done
	$run /data/shared/share look /data/shared 2>&1
	wait
	cat /tmp/hold
	busybox awk "/^holder\.$/ { h++ } /^looker\.$/ { l++ } END {
		print (h == 200 && l == 200) \
			\" what both append is all there\" }" $1/log' $here 2>&1)
tap_is "$tap_nr" 22 "all of that was tried"

# A lock that one pComponent grants no other one does.
have_pcomp p1 16
two=$(on_sh p0 'cd /tmp
	try() { timeout 30 lego run -n test -p $1 ${2+"${@:2}"} -- \
		/data/shared/share lock /data/shared; }
	mkfifo end
	lego run -n test -p p0 -- cat < end & exec 7> end
	until pgrep -x cat > /dev/null; do sleep 0.1; done
	try p1; try p0; try p0 -o attr_ms=0
	exec 7>&-; wait
	try p1; try p0 -o attr_ms=0' 2>&1)
tap_is "$(tr '\n' ';' <<< "$two")" \
	"ENOLCK ENOLCK;granted granted;ENOLCK ENOLCK;granted granted;granted granted;" \
	"one mount of a vNode grants locks: the first one, till it is gone"
tap_like "$(on p0 dmesg)" \
	"p1: vNode test: file locks fail here \(ENOLCK\) while pComponent p0" \
	"and the log says why others do not"

# Records that both append; p0 is the only one that has locks, and p1 had a mount
# when p0 asked for them that was not the one that is there now.
both=$(on_sh p0 'cd /tmp; rm -f end; mkfifo end
	append() { lego run -n test -p $1 -- /data/shared/share append \
		/data/shared > append.$1 2>&1 7>&- & }
	waits() { until grep -q waits append.$1; do sleep 0.1; done; }
	lego run -n test -p p1 -o attr_ms=0 -- cat < end & exec 7> end
	until pgrep -x cat > /dev/null; do sleep 0.1; done
	append p1; waits p1
	exec 7>&-; wait %1
	append p0; waits p0
	touch $1/go
	wait
	grep -hv waits append.p?
	busybox awk "/^a line\.$/ { n++ } END { print n, NR }" $1/both' $here 2>&1)
tap_is "$both" "400 400" "what programs at two pComponents append is all there"
on s0 rm -rf $here
tap_done
