# SPDX-License-Identifier: MIT
"""Signatures: the library's rates beside those of `openssl speed`, in CPU time of one core."""
import statistics
import subprocess

import process
import report

# What of openssl speed each algorithm is by, and where its line has the two rates.
SPEED = {"RS256": ("rsa2048", "+F2:", (3, 4)), "ES256": ("ecdsap256", "+F4:", (3, 4)),
         "EdDSA": ("ed25519", "+F6:", (4, 5))}
NAMES = ("HS256", "HS384", "HS512", "ES256", "RS256", "PS256", "EdDSA")


def ours(programs, seconds):
    """{"sign RS256": rate, ...}"""
    command = [programs.peer("token_rate"), programs.plugins,
               programs.source("..", "conf", "claims", "rabbitmq.json"), str(seconds)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(rate) for name, rate in (line.split("\t") for line in output.splitlines())}


def openssl(algorithm, seconds):
    """(signatures a second, verifications a second)"""
    name, mark, (sign, verify) = SPEED[algorithm]
    output = subprocess.run(["openssl", "speed", "-mr", "-seconds", str(seconds), name],
                            check=True, capture_output=True, text=True).stdout
    fields = next(line for line in output.splitlines() if line.startswith(mark)).split(":")
    return float(fields[sign]), float(fields[verify])


def measure(programs, rounds, say):
    """Medians over the rounds: our rates, and the ratios to openssl speed's of the same round."""
    rates, ratios, theirs = {}, {}, {}
    for number in range(rounds):
        say(f"tokens, round {number + 1} of {rounds}")
        found = ours(programs, 0.3)
        for name, rate in found.items():
            rates.setdefault(name, []).append(rate)
        for algorithm in SPEED:
            for what, rate in zip(("sign", "verify"), openssl(algorithm, 1)):
                theirs.setdefault(f"{what} {algorithm}", []).append(rate)
                ratios.setdefault(f"{what} {algorithm}", []).append(found[f"{what} {algorithm}"] / rate)
    return tuple({name: statistics.median(values) for name, values in table.items()}
                 for table in (rates, ratios, theirs))


def table(rates, theirs):
    lines = ["", f"  {'a second, one core':<20} {'sign':>10} {'openssl':>10} {'verify':>10} {'openssl':>10} "
                 f"{'token':>10} {'template':>10} {'check':>10}"]
    for name in NAMES:
        other = [f"{theirs[f'{what} {name}']:>10.0f}" if f"{what} {name}" in theirs else f"{'':>10}"
                 for what in ("sign", "verify")]
        lines.append(f"  {name:<20} {rates[f'sign {name}']:>10.0f} {other[0]} {rates[f'verify {name}']:>10.0f} "
                     f"{other[1]} {rates[f'token {name}']:>10.0f} {rates[f'template {name}']:>10.0f} "
                     f"{rates[f'check {name}']:>10.0f}")
    return lines + [""]


def figures(rates, ratios):
    bare = f"bare HMAC {1e6 / rates['hmac HS256']:.2f} us"
    return [
        report.at_most("HS256 token, microseconds", 1e6 / rates["token HS256"], 3, bare),
        report.at_most("HS256 token with a template, microseconds", 1e6 / rates["template HS256"], 3, bare),
        *(report.at_least(f"{name} / openssl speed", ratio, 0.9) for name, ratio in ratios.items()),
    ]
