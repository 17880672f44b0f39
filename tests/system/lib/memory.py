# SPDX-License-Identifier: MIT
"""The memory of a process: what stands in it, and where."""
import re
import struct
from pathlib import Path

HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) .*")
SHA256_START = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)


class Mapping:
    def __init__(self, start, end, flags):
        self.start, self.end, self.flags = start, end, flags

    @property
    def is_vault(self):
        """Locked, and left out of dumps."""
        return {"lo", "dd"} <= self.flags

    def __repr__(self):
        return f"{self.start:x}-{self.end:x} {' '.join(sorted(self.flags))}"


def mappings(pid):
    """Those that can be written to, with the flags of proc(5), VmFlags."""
    found, current = [], None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = HEAD.fullmatch(line)
        if head:
            current = (int(head[1], 16), int(head[2], 16), head[3])
        elif line.startswith("VmFlags:") and "w" in current[2]:
            found.append(Mapping(*current[:2], set(line.split()[1:])))
    return found


def find(pid, patterns):
    """Where any of some bytes stand: (their name, mapping) of each place."""
    places = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in mappings(pid):
            try:
                memory.seek(mapping.start)
                content = memory.read(mapping.end - mapping.start)
            except OSError:  # nothing of it can be read: a guard
                continue
            places += [(name, mapping) for name, pattern in patterns.items()
                       for _ in range(content.count(pattern))]
    return places


def number_forms(number, length):
    """A number as libraries keep it: big-endian, and in words."""
    return {"big-endian": number.to_bytes(length, "big"), "words": number.to_bytes(length, "little")}


def hmac_states(secret):
    """What HMAC-SHA256 keeps of a secret of at most 64 bytes: two states, in words."""
    return {name: struct.pack("=8I", *compress(bytes(byte ^ pad for byte in secret.ljust(64, b"\0"))))
            for name, pad in (("inner", 0x36), ("outer", 0x5C))}


def primes(count):
    found, candidate = [], 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def cube_fraction(prime):
    """The first 32 bits of the fraction of its cube root."""
    low, high = 0, 1 << 36
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= prime << 96 else (low, middle)
    return low & 0xFFFFFFFF


CONSTANTS = [cube_fraction(prime) for prime in primes(64)]


def rotate(word, by):
    return (word >> by | word << (32 - by)) & 0xFFFFFFFF


def compress(block, state=SHA256_START):
    """One block of SHA-256 (FIPS 180-4, section 6.2.2)."""
    words = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        small0 = rotate(words[t - 15], 7) ^ rotate(words[t - 15], 18) ^ words[t - 15] >> 3
        small1 = rotate(words[t - 2], 17) ^ rotate(words[t - 2], 19) ^ words[t - 2] >> 10
        words.append((words[t - 16] + small0 + words[t - 7] + small1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, CONSTANTS):
        one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e & f ^ ~e & g) + constant + word
        two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (one + two) & 0xFFFFFFFF, a, b, c, (d + one) & 0xFFFFFFFF, e, f, g
    return [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d, e, f, g, h))]
