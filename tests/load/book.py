# SPDX-License-Identifier: MIT
"""What was seen: answers and how long they took, mistakes, and the responder's memory and descriptors."""
import asyncio
import collections
import os
import time
from pathlib import Path

LATE = 0.05  # seconds between two looks at our own delay


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


class Book:
    def __init__(self, pid):
        self.pid = pid
        self.began = time.monotonic()
        self.count = collections.Counter()
        self.seen = {}   # (server, kind): [(how it ended, seconds)]
        self.mistakes = []
        self.samples = []  # (seconds, resident KiB, descriptors, threads)
        self.lags = []     # seconds that we ourselves came too late

    def saw(self, web, kind, ended, seconds):
        self.seen.setdefault((type(web).__name__, kind), []).append((ended, seconds))

    def wrong(self, web, kind, error):
        self.mistakes.append(f"{time.monotonic() - self.began:.1f} s, {type(web).__name__}, {kind}: {error!r}")

    def sample(self):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        values = (int(status["VmRSS"].split()[0]), len(os.listdir(f"/proc/{self.pid}/fd")), int(status["Threads"]))
        self.samples.append((time.monotonic() - self.began, *values))
        return values

    async def watch(self):
        while True:
            self.sample()
            for _ in range(10):
                before = time.monotonic()
                await asyncio.sleep(LATE)
                self.lags.append(time.monotonic() - before - LATE)

    def table(self):
        """Lines; the client's own delay is in all of the times."""
        lines = [f"{'server':<9} {'request':<28} {'number':>7} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}  answers"]
        for (web, kind), ends in sorted(self.seen.items()):
            times = [seconds * 1000 for _, seconds in ends]
            codes = collections.Counter(ended for ended, _ in ends)
            told = " ".join(f"{code}: {number}" for code, number in sorted(codes.items(), key=str))
            lines.append(f"{web:<9} {kind:<28} {len(ends):>7} {percentile(times, 0.5):>8.1f} "
                         f"{percentile(times, 0.99):>8.1f} {max(times):>8.1f}  {told}")
        lines.append(f"the client's own delay: p50 {percentile(self.lags, 0.5) * 1000:.1f} ms, "
                     f"p99 {percentile(self.lags, 0.99) * 1000:.1f} ms")
        lines += [f"{name}: {number}" for name, number in self.count.items()]
        return lines

    def memory_table(self):
        """Ten rows at most: of each part of the time, the most."""
        lines = [f"{'until s':>8} {'resident KiB':>13} {'descriptors':>12} {'threads':>8}"]
        step = max(1, -(-len(self.samples) // 10))
        for i in range(0, len(self.samples), step):
            part = self.samples[i:i + step]
            lines.append(f"{part[-1][0]:>8.1f} {max(s[1] for s in part):>13} {max(s[2] for s in part):>12} "
                         f"{max(s[3] for s in part):>8}")
        return lines
