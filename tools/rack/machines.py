# SPDX-License-Identifier: GPL-2.0
"""A rack: its machines, their networks, commands in them, their logs."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

from common import HERE, RUN, RackError, compiled, ip_cmd, read_file

# Lines of a kernel log that fail whatever is running.
BAD = re.compile(
    r"BUG:|WARNING:|Oops|possible circular|possible recursive|INFO: task .*"
    r"blocked|UBSAN|KASAN|kmemleak:.*new suspected|"
    r"\] general protection|"  # a program's begins with "traps:"
    r"inconsistent lock state|suspicious RCU|bad unlock balance|"
    r"sleeping function called|Kernel panic|Call Trace|rcu_.*self-detected|"
    r"rcu:.*detected stalls|Out of memory: Killed|Bad page state|"
    r"lock held when returning|held lock freed|invalid wait context")


class Rack:
    """A rack's state, which lives in files: each command is a process."""

    def __init__(self, name):
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", name):
            raise RackError(f"bad rack name: {name}")
        self.name = name
        self.dir = os.path.join(RUN, name)
        self.ns = "lego-" + name
        self.state = {}

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def load(self):
        try:
            with open(self.path("state"), encoding="utf-8") as f:
                self.state = json.load(f)
        except FileNotFoundError:
            raise RackError(f"no rack {self.name} is up") from None
        return self

    def save(self):
        tmp = self.path("state.new")
        with open(tmp, "w", encoding="utf-8") as f:
            json.dump(self.state, f, indent=1)
        os.rename(tmp, self.path("state"))
        with open(self.path("nodes"), "w", encoding="utf-8") as f:
            print(self.ns, self.state["path"], sep="\n", file=f)
            for name, node in self.state["nodes"].items():
                print(name, node["mgmt"], file=f)
        if not os.path.exists(self.path("exec")):
            os.symlink(compiled("exec.c"), self.path("exec"))

    def node(self, name):
        """A node by its name; in a single VM each name is that VM."""
        nodes = self.state["nodes"]
        if self.state["single"] and re.fullmatch(r"one|[gpms]\d+", name):
            name = "one"
        if name not in nodes:
            raise RackError(f"no node {name} (there are "
                            f"{' '.join(nodes)})")
        return nodes[name]

    # processes

    def pid(self, node):
        """The pid of a node's VM, or None: it is dead."""
        try:
            with open(self.path(node["name"] + ".pid"),
                      encoding="ascii") as f:
                pid, start = f.read().split()
            if _start_time(int(pid)) == start:
                return int(pid)
        except (FileNotFoundError, ValueError):
            pass
        return None

    def launch(self, node):
        """Start a node's VM."""
        state = self.state
        debug = state["kernel"] == "debug"
        name = node["name"]
        cmdline = [
            "console=ttyS0", "panic=-1", "oops=panic", "mitigations=off",
            "random.trust_cpu=on", "tsc=reliable", "clocksource=tsc",
            f"tsc_early_khz={state['tsc_khz']}",
            "net.ifnames=0", "init_on_alloc=0", "watchdog_thresh=60",
            "rcupdate.rcu_cpu_stall_timeout=120", "loglevel=7",
            f"lego.node={name}", f"lego.ip={node['ip']}",
            f"lego.mgmt={node['mgmt']}", f"lego.modules={state['modules']}",
            f"lego.shares={':'.join(state['shares'])}",
            *state["cmdline"],
        ]
        mac = int(node["ip"].rsplit(".", 1)[1])
        args = ["ip", "netns", "exec", self.ns, "qemu-system-x86_64",
                "-name", f"lego-{self.name}-{name}",
                "-accel", "tcg,thread=multi,tb-size=256",
                # Five levels of page tables: an interrupt while the kernel
                # identifies its CPU takes them for four, and KASAN reports
                # what it then sees. With four, each walk is shorter, too.
                # Without ERMS memory is copied and cleared by 8 bytes: TCG
                # takes as long for one by "rep movsb".
                "-M", "q35", "-cpu", "max,la57=off,erms=off",
                "-bios", "qboot.rom",
                "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-m", str(node["mem"] * (2 if debug else 1)),
                # Where there can be but one, TCG (before QEMU 8.1) leaves out
                # the guest's memory barriers. But devices have threads of
                # their own: a virtqueue's kick was lost, and the node's
                # network stood still for good.
                "-smp", f"{node['cpus']},maxcpus={max(node['cpus'], 2)}",
                "-kernel", state["image"], "-initrd", state["initrd"],
                "-append", " ".join(cmdline),
                "-chardev", f"file,id=log,path={node['log']},append=on",
                "-serial", "chardev:log",
                "-netdev", f"tap,id=r,ifname={name},script=no,downscript=no",
                "-device", "virtio-net-pci,netdev=r,romfile=,host_mtu=9000,"
                f"mac=52:54:00:77:00:{mac:02x}",
                "-netdev",
                f"tap,id=c,ifname={name}.c,script=no,downscript=no",
                "-device", "virtio-net-pci,netdev=c,romfile=,"
                f"mac=52:54:00:78:00:{mac:02x}"]
        shares = [("root", "/")]
        shares += [(f"share{i}", p) for i, p in enumerate(state["shares"])]
        for tag, path in shares:
            args += ["-virtfs", f"local,path={path},mount_tag={tag},"
                     "security_model=none,readonly=on,multidevs=remap"]
        with open(self.path(name + ".qemu"), "ab") as err:
            qemu = subprocess.Popen(  # lives on after this process
                args, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                start_new_session=True)
        with open(self.path(name + ".pid"), "w", encoding="ascii") as f:
            f.write(f"{qemu.pid} {_start_time(qemu.pid)}")

    def kill(self, node):
        pid = self.pid(node)
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        while _start_time(pid) is not None and not _reaped(pid):
            time.sleep(0.01)
        return True

    def signal(self, node, sig):
        pid = self.pid(node)
        if pid is None:
            raise RackError(f"{node['name']}: is not running")
        os.kill(pid, sig)

    # network

    def net_up(self):
        ip_cmd("netns", "add", self.ns)
        n = ("-n", self.ns)
        ip_cmd(*n, "link", "set", "lo", "up")
        for bridge in ("rdma", "ctrl"):
            ip_cmd(*n, "link", "add", bridge, "type", "bridge")
            ip_cmd(*n, "link", "set", bridge, "up")
        ip_cmd(*n, "link", "set", "rdma", "mtu", "9000")
        ip_cmd(*n, "addr", "add", "10.78.0.254/24", "dev", "ctrl")
        for name in self.state["nodes"]:
            for tap, bridge, mtu in ((name, "rdma", "9000"),
                                     (name + ".c", "ctrl", "1500")):
                ip_cmd(*n, "tuntap", "add", "dev", tap, "mode", "tap")
                ip_cmd(*n, "link", "set", tap, "mtu", mtu, "master", bridge,
                       "up")

    # commands in nodes

    def exec_args(self, node, timeout, *argv, stdin=False):
        """The command line that runs a command in a node: see exec.c."""
        return [self.path("exec"), *([] if stdin else ["-n"]),
                *(["-t", f"{timeout:g}"] if timeout else []),
                node["name"], *argv]

    def script(self, node, text, *args, timeout=120):
        """Run a shell script in a node; its output is only for its failure.

        By busybox, as most of its commands begin no program.
        Return its standard output.
        """
        if self.state["kernel"] == "debug":
            timeout *= 4
        done = subprocess.run(
            self.exec_args(node, timeout, "busybox", "sh", "-eu", "-c", text,
                           "sh", *args), stdin=subprocess.DEVNULL, check=False,
            capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise RackError(f"{node['name']}: exit status {done.returncode}\n"
                            + done.stdout + done.stderr)
        return done.stdout

    def wait_boot(self, node, timeout):
        """Wait until a node's agent answers.

        That one can connect is no answer: connect() to an address that nobody
        has yet was seen to succeed.
        """
        start = time.monotonic()
        while True:
            if subprocess.run(self.exec_args(node, 4, "busybox", "true"),
                              stdin=subprocess.DEVNULL, check=False,
                              capture_output=True).returncode == 0:
                return time.monotonic() - start
            why = None
            if self.pid(node) is None:
                why = "the VM ended while it booted"
            elif time.monotonic() - start > timeout:
                why = f"not up after {timeout} s"
            if why:
                tail = read_file(node["log"])[-1500:] + \
                    read_file(self.path(node["name"] + ".qemu"))[-1500:]
                raise RackError(f"{node['name']}: {why}\n"
                                + tail.decode(errors="replace"))
            time.sleep(0.2)

    # logs

    def check_logs(self, advance=False, allow=()):
        """The bad lines of all nodes' logs since the mark: (node, text)."""
        expected = [line for path in (os.path.join(HERE, "allow"),
                                      self.path("allow"))
                    if os.path.exists(path)
                    for line in read_file(path).decode().splitlines()
                    if line and not line.startswith("#")]
        ok = [re.compile(e) for e in (*expected, *allow)]
        found = []
        for node in self.state["nodes"].values():
            mark = self.path(node["name"] + ".mark")
            start = int(read_file(mark)) if os.path.exists(mark) else 0
            if not os.path.exists(node["log"]):
                continue
            with open(node["log"], "rb") as f:
                f.seek(start)
                data = f.read()
            lines = data.decode(errors="replace").splitlines()
            hits = [i for i, line in enumerate(lines) if BAD.search(line)
                    and not any(e.search(line) for e in ok)]
            if hits:
                first = max(0, hits[0] - 2)
                found.append((node, "\n".join(lines[first:first + 40])))
            if advance:
                with open(mark, "w", encoding="ascii") as f:
                    f.write(str(start + len(data)))
        return found


def _start_time(pid):
    """When a process started, in clock ticks, as text; None: it is no more."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii",
                  errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _reaped(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def take_down(rack):
    """Leave nothing of a rack, whatever state it is in."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    pids = []
    for path in glob.glob(glob.escape(rack.dir) + "/*.pid"):
        name = os.path.basename(path)[:-4]
        pid = rack.pid({"name": name})
        if pid:
            os.kill(pid, signal.SIGKILL)
            pids.append(pid)
    for pid in pids:
        while _start_time(pid) is not None and not _reaped(pid):
            time.sleep(0.01)
    if os.path.exists(f"/run/netns/{rack.ns}"):
        ip_cmd("netns", "del", rack.ns)
    shutil.rmtree(rack.dir, ignore_errors=True)
