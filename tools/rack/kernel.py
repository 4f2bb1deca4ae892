# SPDX-License-Identifier: GPL-2.0
"""Kernels of the cache, and what a node boots with."""
import ctypes
import hashlib
import lzma
import mmap
import os
import shutil
import struct
import subprocess
import time

from common import CACHE, HERE, RackError, compiled, read_file


def unpacked(image):
    """A kernel's vmlinux, in the cache; what does not unpack is as good.

    The emulated processor takes 6 s to do this at each boot. An image without
    a PVH entry can only be booted packed.
    """
    data = read_file(image)
    path = os.path.join(CACHE, "rack", "vmlinux-"
                        + hashlib.sha256(data).hexdigest()[:16])
    if os.path.exists(path):
        return path
    # Documentation/x86/boot.rst: setup_sects, payload_offset, payload_length
    start, length = struct.unpack_from("<II", data, 0x248)
    start += ((data[0x1f1] or 4) + 1) * 512
    payload = data[start:start + length]
    if payload.startswith(b"\xfd7zXZ"):
        vmlinux = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd") and shutil.which("zstd"):
        # less the size that kbuild appends
        vmlinux = subprocess.run(["zstd", "-dc"], input=payload[:-4],
                                 stdout=subprocess.PIPE, check=True).stdout
    else:
        return image
    # The note of XEN_ELFNOTE_PHYS32_ENTRY: two lengths, type, name
    if struct.pack("<I", 18) + b"Xen\0" not in vmlinux:
        return image
    _write(path, vmlinux)
    return path


class Kernel:
    """A kernel of the cache, and the initramfs to boot it with."""

    # What is needed to reach the root file system and the host.
    BOOT = ("virtio_pci", "virtio_net", "9p", "9pnet_virtio", "overlay")

    def __init__(self, name):
        out = subprocess.run([os.path.join(HERE, "kernels"), name],
                             stdout=subprocess.PIPE, text=True, check=False)
        if out.returncode:
            raise RackError(f"no kernel {name}")
        self.name = name
        self.dir = out.stdout.strip()
        with open(os.path.join(self.dir, "release"), encoding="ascii") as f:
            self.release = f.read().strip()
        self.image = os.path.join(self.dir, "vmlinuz")
        # KASAN's kernel dies in the PVH entry, before its shadow is there
        if name != "debug":
            self.image = unpacked(self.image)
        self.modules = os.path.join(self.dir, "root/lib/modules")

    def _closure(self):
        """The boot modules that are not built in, in order of dependence."""
        base = os.path.join(self.modules, self.release)
        deps, builtin, order = {}, set(), []

        def key(path):
            return os.path.basename(path).split(".ko")[0].replace("-", "_")

        with open(os.path.join(base, "modules.builtin"),
                  encoding="ascii") as f:
            builtin = {key(line.strip()) for line in f}
        with open(os.path.join(base, "modules.dep"), encoding="ascii") as f:
            for line in f:
                path, _, needs = line.partition(":")
                deps[key(path)] = (path, needs.split())

        def visit(name):
            if name in builtin:
                return
            if name not in deps:
                raise RackError(f"kernel {self.name} has no module {name}")
            path, needs = deps[name]
            for need in needs:
                visit(key(need))
            if path not in order:
                order.append(path)

        for name in self.BOOT:
            visit(name)
        return [(os.path.basename(p).split(".ko")[0] + ".ko",
                 os.path.join(base, p)) for p in order]

    def initrd(self):
        """Build the initramfs, or find it in the cache."""
        parts = {"init": os.path.join(HERE, "init"),
                 "agent": compiled("agent.c"),
                 "bin/busybox": shutil.which("busybox") or ""}
        if not parts["bin/busybox"]:
            raise RackError("no busybox: run make setup")
        tag = hashlib.sha256(self.release.encode())
        for path in parts.values():
            with open(path, "rb") as f:
                tag.update(f.read())
        path = os.path.join(CACHE, "rack", f"initrd-{tag.hexdigest()[:16]}")
        if os.path.exists(path):
            return path
        files = {name: read_file(p) for name, p in parts.items()}
        order = []
        for name, p in self._closure():
            data = read_file(p)
            if p.endswith(".xz"):
                data = lzma.decompress(data)
            files["modules/" + name] = data
            order.append(name + "\n")
        files["modules/order"] = "".join(order).encode()
        _write(path, _cpio(files))
        return path


def _write(path, data):
    """Make a file of the cache, at once whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tmp = f"{path}.{os.getpid()}"
    with open(tmp, "wb") as f:
        f.write(data)
    os.rename(tmp, path)


def _cpio(files):
    """A newc archive of these files, executable, and their directories."""
    out = bytearray()

    def entry(name, mode, data=b"", rdev=(0, 0)):
        raw = name.encode() + b"\0"
        head = "070701" + "".join(f"{v:08x}" for v in (
            len(out) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev,
            len(raw), 0))
        out.extend(head.encode() + raw)
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    for name in sorted({os.path.dirname(n) for n in files} - {""}) + ["dev"]:
        entry(name, 0o40755)
    # The kernel's own console, before devtmpfs is there.
    entry("dev/console", 0o20600, rdev=(5, 1))
    for name, data in files.items():
        entry(name, 0o100755, data)
    entry("TRAILER!!!", 0)
    return bytes(out)


def tsc_khz():
    """How fast the TSC runs, which is the machines' too.

    They measure it against emulated timers, and on a busy host some come out
    ten times wrong: their clocks then run ten times too fast.
    """
    code = mmap.mmap(-1, mmap.PAGESIZE,
                     prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
    code.write(bytes.fromhex("0f31 48c1e220 4809d0 c3"))
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(
        ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def both():
        """Time and TSC at one moment: the closest of some."""
        tries = []
        for _ in range(10):
            before = time.monotonic_ns()
            tsc = rdtsc()
            after = time.monotonic_ns()
            tries.append((after - before, (before + after) / 2, tsc))
        return min(tries)[1:]

    start = both()
    time.sleep(0.2)
    end = both()
    return round((end[1] - start[1]) / (end[0] - start[0]) * 1e6)
