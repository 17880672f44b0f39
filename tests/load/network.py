# SPDX-License-Identifier: MIT
"""Machines that are network namespaces, joined by one in the middle, in which this process itself is."""
import ctypes
import os
import subprocess

from lib.servers import find_server

CLONE_NEWNET = 0x40000000


def run(program, *words):
    done = subprocess.run([find_server(program), *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{program} {' '.join(map(str, words))}: {done.stderr.strip()}")


def ip(*words):
    run("ip", *words)


def tc(*words):
    run("tc", *words)


def enter(path):
    """This process, and what it starts, is in that namespace from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise AssertionError(f"setns: {os.strerror(ctypes.get_errno())}")


class Network:
    """A middle that routes between `names`; each has a link of its own, and an address 10.N.0.2."""

    def __init__(self, names):
        self.names = list(names)
        self.prefix = f"mc{os.getpid()}"
        self.made = []
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        for name in ("middle", *self.names):
            ip("netns", "add", self.namespace(name))
            self.made.append(name)
            ip("-n", self.namespace(name), "link", "set", "lo", "up")
        enter(f"/run/netns/{self.namespace('middle')}")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as forward:
            forward.write("1")
        for number, name in enumerate(self.names, 1):
            there = self.namespace(name)
            ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", there)
            ip("addr", "add", f"10.{number}.0.1/24", "dev", f"to-{name}")
            ip("link", "set", f"to-{name}", "up")
            ip("-n", there, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            ip("-n", there, "link", "set", "eth0", "up")
            ip("-n", there, "route", "add", "default", "via", f"10.{number}.0.1")

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def address(self, name):
        return f"10.{self.names.index(name) + 1}.0.2"

    def on(self, name):
        """What to put in front of a command that should run on a machine."""
        return [find_server("ip"), "netns", "exec", self.namespace(name)]

    def cut(self, name):
        """Whatever goes to a machine, or comes from it, is lost without a word: queues that have room for nothing."""
        for namespace, device in self.ends(name):
            tc("-n", namespace, "qdisc", "replace", "dev", device, "root", "bfifo", "limit", 1)

    def mend(self, name):
        for namespace, device in self.ends(name):
            tc("-n", namespace, "qdisc", "del", "dev", device, "root")

    def ends(self, name):
        """Of the machine's link."""
        return (self.namespace("middle"), f"to-{name}"), (self.namespace(name), "eth0")

    def part(self, name, other):
        """What one machine sends to the other is lost."""
        ip("-n", self.namespace(name), "route", "add", "blackhole", self.address(other))

    def join(self, name, other):
        ip("-n", self.namespace(name), "route", "del", "blackhole", self.address(other))

    def close(self):
        libc = ctypes.CDLL(None)
        libc.setns(self.home, CLONE_NEWNET)
        os.close(self.home)
        for name in self.made:
            subprocess.run([find_server("ip"), "netns", "del", self.namespace(name)], check=False)
