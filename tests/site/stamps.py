"""Reads Debian's tuxpaint-stamps-default: one Stamp a picture, with its names in many languages."""
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path("/usr/share/tuxpaint/stamps")


@dataclass(frozen=True)
class Stamp:
    number: int            # place in the sorted list: the same on every machine
    path: Path             # the picture
    category: str          # top folder: "animals"
    kind: str              # folder below: "birds", or the category
    name: str              # English
    names: dict = field(default_factory=dict, hash=False)  # language -> name, e.g. "de"


def read_names(path):
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    english = lines[0].strip() if lines else path.stem
    names = {}
    for line in lines[1:]:
        key, equals, value = line.partition("=")
        if equals and key.endswith(".utf8") and value.strip():
            names[key.removesuffix(".utf8")] = value.strip().rstrip(".")
    return english.rstrip("."), names


def load(folder=FOLDER):
    pictures = sorted(p for p in folder.rglob("*.png") if not p.stem.endswith("_mirror"))
    if not pictures:
        raise SystemExit(f"serve.py: no pictures in {folder}; install Debian's tuxpaint-stamps-default")
    stamps = []
    for number, path in enumerate(pictures, start=1):
        parts = path.relative_to(folder).parts
        name, names = read_names(path.with_suffix(".txt"))
        stamps.append(Stamp(number, path, parts[0], parts[1] if len(parts) > 2 else parts[0], name, names))
    return stamps
