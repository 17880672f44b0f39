# SPDX-License-Identifier: MIT
"""The file store with a million members: loading, memory, reloading under load."""
import os
import re
import statistics
import subprocess
import threading
import time

import fixtures
import process
import resident


def load_once(programs, how, path):
    output = subprocess.run([programs.peer("load_store"), how, path], check=True,
                            capture_output=True, text=True).stdout
    took, resident_more, resident_most = map(int, output.split())
    return {"us": took, "resident": resident_more, "most": resident_most}


def measure_load(programs, path, rounds, say):
    """libcsv alone and the store, in turn."""
    say(f"{rounds} rounds of loading {os.path.getsize(path) / 1e6:.0f} MB")
    plugin = os.path.join(programs.plugins, "store_file.so")
    pairs = [(load_once(programs, "csv", path), load_once(programs, plugin, path))
             for _ in range(rounds)]
    stores = [store for _, store in pairs]
    return {
        "csv_us": statistics.median(plain["us"] for plain, _ in pairs),
        "store_us": statistics.median(store["us"] for store in stores),
        "ratio": statistics.median(store["us"] / plain["us"] for plain, store in pairs),
        "file": os.path.getsize(path),
        "resident": statistics.median(store["resident"] for store in stores),
        "most": max(store["most"] for store in stores),
    }


# ---- Reloading ----

def loads_in_log(farm):
    with open(farm.area.path("million.log"), encoding="utf-8", errors="replace") as file:
        return len(re.findall(r": \d+ members, ", file.read(), re.MULTILINE))


def write_next(area, source, number):
    """The members of before and one more, beside the file: what rename() wants."""
    path = area.path("next.csv")
    with open(source, "rb") as old, open(path, "wb") as new:
        while chunk := old.read(1 << 20):
            new.write(chunk)
        new.write((",".join(fixtures.member(resident.MANY + number)) + "\n").encode())
        new.flush()
        os.fsync(new.fileno())
    return path


def wait_for_load(farm, before):
    deadline = time.monotonic() + 10
    while loads_in_log(farm) == before:
        if time.monotonic() > deadline:
            process.die("the store did not take in the new members file")
        time.sleep(0.05)


def reload_under_load(farm, cell, seconds, number):
    """A load in whose middle the members file is replaced."""
    path = farm.area.path("many.csv")
    following = write_next(farm.area, path, number)
    before = loads_in_log(farm)
    timer = threading.Timer(0.3, os.rename, (following, path))
    timer.start()
    sample = resident.run_wrk(farm, cell, seconds)
    sample["within"] = loads_in_log(farm) > before
    timer.join()
    wait_for_load(farm, before)
    return sample


def measure_reload(farm, cells, seconds, rounds, say):
    cell = cells["member of 10^6"]
    length = max(3, seconds) # the store looks at its file once a second
    quiet, loud = [], []
    say(f"{rounds} rounds of reloading under load, 2 x {length} s each")
    for number in range(rounds):
        quiet.append(resident.run_wrk(farm, cell, length))
        loud.append(reload_under_load(farm, cell, length, number))
    return {
        "quiet_p99": statistics.median(sample["p99"] for sample in quiet),
        "reload_p99": statistics.median(sample["p99"] for sample in loud),
        "ratio": statistics.median(b["p99"] / a["p99"] for a, b in zip(quiet, loud)),
        "failed": sum(sample["failed"] for sample in loud),
        "requests": sum(round(sample["rate"] * length) for sample in loud),
        "within": sum(sample["within"] for sample in loud),
        "reloads": len(loud),
    }
