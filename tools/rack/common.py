# SPDX-License-Identifier: GPL-2.0
"""What the files of the rack's program share."""
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
