# SPDX-License-Identifier: GPL-2.0
"""What the files of the rack's program share."""
import hashlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("LEGO_CACHE") or os.path.expanduser("~/.cache/lego")
RUN = "/run/lego-rack"
MODULES = ("lite_rpc", "gmgr", "mcomp", "scomp", "pcomp")

# By the first letter of a node's name: what runs there, the first host number
# of its addresses, memory in MiB beside what it serves from, vCPUs.
KINDS = {
    "g": ("gmgr", 1, 512, 1),
    "p": ("pcomp", 10, 1024, 2),
    "m": ("mcomp", 20, 640, 1),
    "s": ("scomp", 30, 896, 1),
    "o": ("all", 1, 1536, 2),
}


class RackError(Exception):
    """Something that ends the command, told in one line."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def ip_cmd(*args, check=True):
    done = subprocess.run(["ip", *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RackError(f"ip {' '.join(args)}: {done.stderr.strip()}")
    return done.returncode == 0


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def compiled(name):
    """One of our C programs, compiled once for each version of its source."""
    src = os.path.join(HERE, name)
    tag = hashlib.sha256(read_file(src)).hexdigest()[:16]
    path = os.path.join(CACHE, "rack", f"{name[:-2]}-{tag}")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        tmp = f"{path}.{os.getpid()}"
        subprocess.run(["gcc", "-O2", "-Wall", "-static", "-o", tmp, src],
                       check=True)
        os.rename(tmp, path)
    return path
