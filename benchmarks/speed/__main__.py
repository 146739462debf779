"""``python -m benchmarks.speed``: measure, print, write docs/performance.md.

Themes may be named to measure these alone, and ``--print`` leaves the page as it is. Run it on a
machine that does nothing else: ratios bear some noise, times none.
"""

from __future__ import annotations

import argparse
import importlib
import time

from benchmarks.speed.page import PAGE, filled, stamped

THEMES = ("start_up", "manual_way", "critical_path", "server_load", "growth", "judging")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("themes", nargs="*", metavar="THEME", help=", ".join(THEMES))
    parser.add_argument("--print", action="store_true", help="do not write docs/performance.md")
    options = parser.parse_args()
    unknown = [theme for theme in options.themes if theme not in THEMES]
    if unknown:
        parser.error(f"there is no theme {unknown[0]}; there are {', '.join(THEMES)}")
    began = time.monotonic()
    tables = []
    for theme in options.themes or THEMES:
        for table in importlib.import_module(f"benchmarks.speed.{theme}").measure():
            print(f"\n{table.name}\n{table.plain()}", flush=True)
            tables.append(table)
    print(f"\n{time.monotonic() - began:.0f} s")
    if not options.print:
        text = filled(PAGE.read_text(encoding="utf-8"), tables)
        PAGE.write_text(text if options.themes else stamped(text), encoding="utf-8")


if __name__ == "__main__":
    main()
