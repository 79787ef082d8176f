#!/usr/bin/env python3
"""Fails on an #include that looks up or sideways. The table is tools/layers.txt; cmd, tests, bench and fuzz may include anything,
and so may *_test.cc and *_for_test.h beside a source, which are in no product."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"')


def read_table():
    table = {}
    for line in (ROOT / "tools" / "layers.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            folder, _, allowed = line.partition(":")
            table[folder.strip()] = set(allowed.split())
    return table


def main():
    table, faults = read_table(), []
    for path in sorted((ROOT / "src").rglob("*.[ch]*")):
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in table:
            faults.append(f"src/{folder}: not in tools/layers.txt")
            continue
        if path.name.endswith(("_test.cc", "_for_test.h")):
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match[1].split("/")[0]
            where = f"{path.relative_to(ROOT)}:{number}"
            if "/" not in match[1] or target not in table:
                faults.append(f'{where}: "{match[1]}" is not spelled from src/')
            elif target != folder and target not in table[folder] and "*" not in table[folder]:
                faults.append(f"{where}: {folder} must not include {target}")
        if path.suffix == ".h" and "#pragma once" not in path.read_text():
            faults.append(f"{path.relative_to(ROOT)}: no #pragma once")
    print("\n".join(faults) if faults else f"layers: {len(table)} folders, every include looks down")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
