#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# RDMA devices that are taken away under load, and come again.
. "$(dirname "$0")/../lib.sh"
ON_TIMEOUT=200

have_vnode test
have_pcomp small 4
expect_log 'its RDMA device .* is being removed'
expect_log 'has an RDMA device with its address again'
expect_log 'is not reached|has no RDMA device|link reset|connection with'

listens() { # NODE COMPONENT
	quick "$1" 'dmesg | grep "$1: has an RDMA device" > /dev/null' "$2"
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
# twice what fits into ExCache, checked again and again
on_sh s0 'rm -f /srv/lego/tmp/stop'
lrun -p small python3 -c 'import os
n = 2000
data = [bytearray(b"%07d" % i) * 512 for i in range(n)]
print("begun", flush=True)
while not os.path.exists("/tmp/stop"):
    for i in range(n):
        if data[i][:7] != b"%07d" % i or data[i][-7:] != b"%07d" % i:
            print("wrong", i)
        data[i][9] = i % 251
print("end", flush=True)' > "$out" 2>&1 &
wait_until 60 grep -q begun "$out"
tap_ok $? "a program has memory at mComponents"
for node in m0 m1; do
	on_sh $node 'rdma link delete rxe0 && sleep 1 &&
		rdma link add rxe0 type rxe netdev eth0'
	tap_ok $? "the device of $node is removed under load, and added again"
	wait_until 30 listens $node $node
	tap_ok $? "$node listens again"
done
on_sh s0 ': > /srv/lego/tmp/stop'
wait
tap_is "$(tail -n 1 "$out")" end "the program has waited, and ends well"
! grep -q wrong "$out"
tap_ok $? "each of its pages is as it was"
tap_is "$(on g0 lego status | grep -c -E '^m[01] .* up')" 2 \
	"both are members, as before"
on_sh s0 'rm -f /srv/lego/tmp/stop'
quick p0 'rmdir /sys/kernel/config/lego/pcomp/small' # it has a port of others'
tap_done
