# SPDX-License-Identifier: GPL-2.0
"""From machines that have been started to components that work."""
import os
import re
import threading
import time

from common import KINDS, MODULES, RackError, say

LOAD = r"""
ko=$1 name=$2 needs=$3; shift 3
[ -d "/sys/module/$name" ] && exit 0
[ -z "$needs" ] || modprobe -a $needs
insmod "$ko" "$@" || {
	echo "insmod $ko $*: failed; the kernel's last words:"
	dmesg | tail -n 20
	exit 1
}
"""

KEY = """
keyctl list %:.lego | grep -q 'lego:rack$' ||
	printf %s "$1" | keyctl padd logon lego:rack %:.lego
echo rack > /sys/module/lite_rpc/parameters/key
"""

RXE = """
modprobe rdma_rxe
rdma link show | grep -q rxe0/ || rdma link add rxe0 type rxe netdev eth0
"""

SRV = """
mountpoint -q /srv/lego && exit 0
mkdir -p /srv/lego /run/srv
mount -t tmpfs -o size=50% tmpfs /run/srv
mkdir /run/srv/up /run/srv/work
for d in proc sys dev run tmp mnt media; do mknod /run/srv/up/$d c 0 0; done
mount -t overlay -o lowerdir=/run/lower,upperdir=/run/srv/up,\
workdir=/run/srv/work overlay /srv/lego
cd /srv/lego
mkdir proc sys dev run mnt media
mkdir -m 1777 tmp
"""


def needs(path):
    """The kernel's modules that one of ours depends on."""
    with open(path, "rb") as f:
        found = re.search(rb"\0depends=([^\0]*)\0", f.read())
    return [name for name in found[1].decode().split(",")
            if name and name not in MODULES] if found else []


def load_module(rack, node, module, *params):
    """Insert a module and what it needs. Return whether it was there."""
    path = os.path.join(rack.state["build"], module, module + ".ko")
    if not os.path.exists(path):
        if rack.state["partial"]:
            say(f"  {node['name']}: no {module}.ko, left out")
            return False
        raise RackError(f"{path}: missing: run make KERNEL="
                        f"{rack.state['kernel']}")
    rack.script(node, LOAD, path, module, " ".join(needs(path)), *params)
    return True


def load_lite_rpc(rack, node):
    """Insert what all components need, with the rack's key if it has one."""
    key = rack.state["key"]
    if load_module(rack, node, "lite_rpc") and key:
        rack.script(node, KEY, key)


def load_single(rack, node):
    """All components in one kernel, over the loop transport."""
    opts = rack.state
    rack.script(node, SRV)
    load_lite_rpc(rack, node)
    load_module(rack, node, "gmgr", "name=g0", "addr=loop:g0")
    if load_module(rack, node, "mcomp", "name=m0", "addr=loop:m0",
                   "gmgr=loop:g0", f"mem_mb={opts['mem']}"):
        for i in range(1, opts["count"]["m"]):
            rack.script(node, """
                mountpoint -q /sys/kernel/config ||
                    mount -t configfs configfs /sys/kernel/config
                cd /sys/kernel/config/lego/mcomp
                mkdir "$1"; cd "$1"
                echo "loop:$1" > addr; echo loop:g0 > gmgr
                echo "$2" > mem_mb; echo 1 > enable""",
                        f"m{i}", str(opts["mem"]))
    load_module(rack, node, "scomp", "name=s0", "addr=loop:s0",
                "gmgr=loop:g0", "dir=/srv/lego")
    load_module(rack, node, "pcomp", "name=p0", "addr=loop:p0",
                "gmgr=loop:g0", f"excache_mb={opts['excache']}")


def load_node(rack, node):
    """A component's modules on its node."""
    opts = rack.state
    module = KINDS[node["name"][0]][0]
    if module == "all":
        load_single(rack, node)
        return
    params = [f"name={node['name']}", f"addr={node['ip']}"]
    if module != "gmgr":
        params.append(f"gmgr={opts['nodes']['g0']['ip']}")
    if module == "mcomp":
        params.append(f"mem_mb={opts['mem']}")
    elif module == "scomp":
        params.append("dir=/srv/lego")
    elif module == "pcomp":
        params.append(f"excache_mb={opts['excache']}")
    load_lite_rpc(rack, node)
    load_module(rack, node, module, *params)


def prepare(rack, node):
    """What a node needs before its modules."""
    names = "".join(f"{n['ip']} {n['name']}\n"
                    for n in rack.state["nodes"].values())
    rack.script(node, """
        printf '127.0.0.1 localhost\n%s' "$1" > /etc/hosts
        modprobe configfs
        mountpoint -q /sys/kernel/config ||
            mount -t configfs configfs /sys/kernel/config""", names)
    if node["name"] != "one":
        rack.script(node, RXE)
    if node["name"][0] == "s":
        rack.script(node, SRV)


def in_parallel(function, items):
    """Call a function for each item at once; raise what the first raised."""
    errors = []

    def call(item):
        try:
            function(item)
        except (RackError, OSError) as exc:
            errors.append(exc)

    threads = [threading.Thread(target=call, args=(i,), daemon=True)
               for i in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def bring_up(rack, nodes):
    """From started VMs to loaded modules."""
    start = time.monotonic()
    limit = 300 if rack.state["kernel"] == "debug" else 120

    def boot(node):
        rack.wait_boot(node, limit)
        prepare(rack, node)
        say(f"  {node['name']}: booted after "
            f"{time.monotonic() - start:.1f} s")

    in_parallel(boot, nodes)
    if not rack.state["load"]:
        return
    for kinds in ("go", "ms", "p"):
        group = [n for n in nodes if n["name"][0] in kinds]
        in_parallel(lambda node: load_node(rack, node), group)
        for node in group:
            say(f"  {node['name']}: {KINDS[node['name'][0]][0]} loaded after "
                f"{time.monotonic() - start:.1f} s")
