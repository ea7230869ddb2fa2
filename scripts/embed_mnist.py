"""Maintainer's script: puts the original MNIST into the package, checked against its sums.

python scripts/embed_mnist.py FOLDER      FOLDER holds the four original *-ubyte.gz
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "inkdigits" / "data" / "mnist"

# SHA-256 of the uncompressed files, as published; gzip's own bytes may differ.
SUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def main(folder: Path) -> None:
    originals = {name: gzip.decompress((folder / f"{name}.gz").read_bytes()) for name in SUMS}
    for name, content in originals.items():
        found = hashlib.sha256(content).hexdigest()
        if found != SUMS[name]:
            sys.exit(f"{name}: expected SHA-256 {SUMS[name]}, got {found}: download it again")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in originals.items():
        path = TARGET / f"{name}.gz"
        # No name and no time inside: the same content makes the same file.
        with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(content)
        print(f"{path.name}: {len(content):,} bytes as {path.stat().st_size:,}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
