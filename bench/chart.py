# SPDX-License-Identifier: MIT
"""The chart of a run: chart.py RESULTS.json > chart.svg"""
import json
import sys

WIDTH = 720
LEFT = 230
RIGHT = 130
BAR = 20
GAP = 6
COLOURS = {"memberchat": "#2a6f97", "hello": "#9aa5ad", "php": "#8a79b4"}


def panels(data):
    """(title, unit, digits, [(label, kind, value)], whether ratios are shown)"""
    loads, cgi = data["resident"], data["cgi"]
    cells = [("hello-world in C", "hello", "hello"),
             ("memberchat, guest", "memberchat", "guest"),
             ("memberchat, one of a thousand", "memberchat", "member of 10^3"),
             ("memberchat, one of a million", "memberchat", "member of 10^6"),
             ("php-fpm, guest", "php", "php guest")]
    rows = [("bare C program", "hello", cgi["hello"]),
            ("memberchat, guest", "memberchat", cgi["guest"])]
    if "member of 10^6, cdb" in cgi:
        rows.append(("memberchat, one of a million", "memberchat", cgi["member of 10^6, cdb"]))
    rows.append(("php-cgi, guest", "php", cgi["php-cgi"]))

    def column(what, scale):
        return [(label, kind, loads[name][what] / scale) for label, kind, name in cells]

    return [
        ("Requests per second behind lighttpd (in brackets: times the first)", "", 0,
         column("rate", 1), True),
        ("CPU of the responder, microseconds a request (less is better)", " µs", 1,
         column("cpu", 1), True),
        ("Memory of the responder, MB (less is better)", " MB", 1, column("pss", 1e6),
         False),
        ("As CGI: a whole process, milliseconds (less is better)", " ms", 2,
         [(label, kind, value / 1000) for label, kind, value in rows], True),
    ]


def draw_bar(row, first, most, y, unit, digits):
    """A bar with its value, and in brackets how many times FIRST (if any) that is."""
    label, kind, value = row
    text = f"{value:,.{digits}f}{unit}" + (f" ({value / first:.2f})" if first else "")
    width = max(1.0, (WIDTH - LEFT - RIGHT) * value / most)
    middle = y + BAR * 0.7
    return [
        f'<text x="{LEFT - 8}" y="{middle:.1f}" text-anchor="end">{label}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" '
        f'fill="{COLOURS[kind]}"/>',
        f'<text x="{LEFT + width + 6:.1f}" y="{middle:.1f}">{text}</text>',
    ]


def draw_panel(panel, y):
    title, unit, digits, rows, compare = panel
    most = max(value for _, _, value in rows)
    parts = [f'<text x="12" y="{y + 14}" font-weight="bold">{title}</text>']
    y += 24
    for row in rows:
        parts += draw_bar(row, rows[0][2] if compare else None, most, y, unit, digits)
        y += BAR + GAP
    return parts, y + 14


def draw(data):
    """The SVG, readable on white and on black."""
    parts, y = [], 12
    for panel in panels(data):
        more, y = draw_panel(panel, y)
        parts += more
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
            f'height="{y}" role="img" font-family="sans-serif" font-size="13" fill="#222">')
    title = "<title>memberchat beside a hello-world in C and beside PHP</title>"
    ground = f'<rect width="{WIDTH}" height="{y}" rx="6" fill="#fff"/>'
    return "\n".join([head, title, ground, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as results:
        print(draw(json.load(results)), end="")
