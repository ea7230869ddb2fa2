"""The lab under load: how many answers are right, refused, wrong, and how long they take.

    python benchmarks/lab.py                      300 clients for 60 s; writes docs/benchmarks.md
    python benchmarks/lab.py --seconds 5 --clients 50

Each client sends one digit after the other to `/api/read` and knows what each is read as when it is
asked alone; it asks again after a 503, when it is told to. An answer that is not the digit's own to
the last bit is wrong: a right one of another client would be too.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness

import numpy as np
from PIL import Image

import inkdigits as ink

PICTURES = 64  # different ones
GRACE = 30  # seconds for the server to start, and to end


@dataclass
class Tally:
    """What came of all requests."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    """Starts a server, asks it, and publishes a table; the status is 1 if any answer was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    pictures = [photo(image) for image in ink.load("mnist:test").images[:PICTURES]]
    bad = 0

    def measure() -> str:
        nonlocal bad
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-m", "inkdigits", "lab", "--api-only", "--home", home]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                assert server.stdout is not None
                said = server.stdout.readline()
                port = int(said.partition("127.0.0.1:")[2].partition("/")[0])
                tally = asyncio.run(asked(port, pictures, options.clients, options.seconds))
                memory = peak(server.pid)
                begun = time.perf_counter()
                server.send_signal(signal.SIGTERM)
                status = server.wait(GRACE)
                ended = time.perf_counter() - begun
            finally:
                server.kill()
                server.communicate()
        bad = tally.counts["wrong"] + tally.counts["failed"] + abs(status)
        return (
            f"{table(tally, options.clients, options.seconds)}\n\n"
            f"The server held {memory} at most, "
            f"and ended {ended:.1f} s after SIGTERM with status {status}."
        )

    harness.publish("lab", measure)
    return int(bad > 0)


def photo(glyph: np.ndarray[Any, Any]) -> bytes:
    """Dark ink on white paper, four times as large."""
    file = io.BytesIO()
    Image.fromarray(255 - glyph).resize((112, 112), Image.Resampling.BILINEAR).save(file, "PNG")
    return file.getvalue()


async def asked(port: int, pictures: list[bytes], clients: int, seconds: float) -> Tally:
    """Many clients at a time, each with a connection of its own."""
    alone = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for picture in pictures:
        status, _, body = await answer(reader, writer, port, picture)
        assert status == 200, body
        alone.append(body)
    writer.close()
    tally = Tally()
    until = time.perf_counter() + seconds
    await asyncio.gather(
        *(client(number, port, pictures, alone, until, tally) for number in range(clients))
    )
    return tally


async def client(
    number: int, port: int, pictures: list[bytes], alone: list[bytes], until: float, tally: Tally
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    place = number
    while (begun := time.perf_counter()) < until:
        place = (place + 1) % len(pictures)
        try:
            status, headers, body = await answer(reader, writer, port, pictures[place])
        except (OSError, asyncio.IncompleteReadError):
            tally.counts["failed"] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        if status == 503 and "retry-after" in headers and "error" in json.loads(body):
            tally.counts["told to wait (503)"] += 1
            await asyncio.sleep(float(headers["retry-after"]))
        elif status == 200 and body == alone[place]:
            tally.counts["right"] += 1
            tally.seconds.append(time.perf_counter() - begun)
        else:
            tally.counts["wrong"] += 1
    writer.close()


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, picture: bytes
) -> tuple[int, dict[str, str], bytes]:
    head = f"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(picture)}"
    writer.write(head.encode() + b"\r\n\r\n" + picture)
    await writer.drain()
    first, *rows = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    headers = dict(row.lower().split(": ", 1) for row in rows)
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def peak(process: int) -> str:
    """The most memory that a process held, where the system tells."""
    try:
        rows = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return "unknown"
    return next(f"{int(row.split()[1]) >> 10} MB" for row in rows if row.startswith("VmHWM:"))


def table(tally: Tally, clients: int, seconds: float) -> str:
    """What came of it."""
    names = ("right", "told to wait (503)", "wrong", "failed")
    rows = [[name, f"{(n := tally.counts[name]):,}", f"{n / seconds:,.1f}"] for name in names]
    found = harness.table([f"{clients} clients for {seconds:g} s", "answers", "a second"], rows)
    if tally.seconds:
        shares = np.quantile(tally.seconds, [0.5, 0.9, 0.99, 1])
        told = ", ".join(
            f"{name} {1000 * value:.0f} ms"
            for name, value in zip(("half", "90 %", "99 %", "all"), shares, strict=True)
        )
        found += f"\n\nRight answers came within: {told}."
    return found


if __name__ == "__main__":
    raise SystemExit(main())
