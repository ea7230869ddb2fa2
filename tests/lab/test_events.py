"""The journal loses nothing and tells nothing twice, whoever is killed while he writes in it."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from learning import point_at

from inkdigits.lab.runs.events import (
    FINAL,
    Event,
    Journal,
    encoded,
    follow,
    read_now,
    what_stands,
    write_now,
)
from inkdigits.lab.runs.files import append_line


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def parsed(sent: bytes) -> tuple[str, int | None, dict[str, Any]]:
    """Type, id and data of an event as a browser understands it."""
    fields = dict(line.split(": ", 1) for line in sent.decode().rstrip("\n").split("\n"))
    number = int(fields["id"]) if "id" in fields else None
    return fields["event"], number, json.loads(fields["data"])


def followed(folder: Path, **options: Any) -> list[bytes]:
    """All that a stream sends until it ends by itself."""

    async def gather() -> list[bytes]:
        return [part async for part in follow(folder, poll=0.001, **options)]

    return asyncio.run(asyncio.wait_for(gather(), 30))


def test_what_was_written_is_read_once_with_its_line_as_id(journal: Journal) -> None:
    journal.append("point", point_at(1))
    journal.append("state", {"state": "done"})
    assert list(journal.new()) == [
        Event(1, "point", point_at(1)),
        Event(2, "state", {"state": "done"}),
    ]
    assert list(journal.new()) == []
    journal.append("point", point_at(2))
    assert list(journal.new()) == [Event(3, "point", point_at(2))]


def test_a_torn_line_is_waited_for_until_it_is_whole(journal: Journal) -> None:
    journal.append("point", point_at(1))
    whole = journal.path.read_bytes()
    for cut in range(len(whole)):
        journal.path.write_bytes(whole[:cut])
        fresh = Journal(journal.folder)
        assert list(fresh.new()) == []
        journal.path.write_bytes(whole)
        assert [event.id for event in fresh.new()] == [1]


def test_after_a_killed_writer_the_next_begins_a_new_line_and_no_id_moves(journal: Journal) -> None:
    journal.append("point", point_at(1))
    with journal.path.open("ab") as file:
        file.write(b'{"event": "point", "da')
    seen = list(journal.new())
    journal.append("rewound", {"step": 0})
    assert [(event.id, event.type) for event in [*seen, *journal.new()]] == [
        (1, "point"),
        (3, "rewound"),
    ]
    assert [event.id for event in Journal(journal.folder).new()] == [1, 3]


def test_a_line_that_is_no_event_is_none(journal: Journal) -> None:
    journal.path.write_bytes(b'7\n{"event": "point"}\n{"event": "point", "data": 3}\n\xff\n')
    assert list(journal.new()) == []
    assert journal.lines == 4


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "point", "data": {"step": 1}}',
        b'{"event": "state", "data": {}}',
        b'{"event": "state", "data": {"state": "asleep"}}',
        b'{"event": "rewound", "data": {"step": "x"}}',
        b'{"event": "epoch", "data": {"step": 1, "epoch": 1, "loss": "x"}}',
        b'{"event": "change", "data": {"step": 1, "epochs": NaN}}',
        b'{"event": "change", "data": {"step": 1e999}}',
        b'{"event": "change", "data": {"step": true}}',
        b'{"event": ["point"], "data": {}}',
        b'{"event": "state", "data": {"state": "done", "x": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b"[" * 100_000,
    ],
)
def test_an_event_that_lacks_what_its_type_has_is_none(journal: Journal, line: bytes) -> None:
    journal.path.write_bytes(line + b"\n")
    journal.append("state", {"state": "done"})
    assert [event.id for event in journal.new()] == [2]
    (journal.folder / "now.json").write_bytes(line)
    now = read_now(journal.folder)
    assert now is None or "event" in now


def test_a_journal_that_cannot_be_read_has_no_events(journal: Journal) -> None:
    journal.path.mkdir()
    assert list(journal.new()) == []


def test_a_disk_that_takes_a_part_of_a_line_has_not_taken_it(
    journal: Journal, tmp_path: Path
) -> None:
    class Full(io.BytesIO):
        def write(self, line: Any) -> int:
            return super().write(line[:5])

    file = Full()
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        append_line(file, {"event": "state"})
    journal.path.write_bytes(file.getvalue())
    journal.append("state", {"state": "done"})
    assert [event.id for event in journal.new()] == [2]


def test_what_is_no_number_is_not_written(journal: Journal) -> None:
    with pytest.raises(ValueError, match="JSON"):
        journal.append("point", {"loss": float("nan")})
    assert not journal.path.exists() or not journal.path.read_bytes()


def test_rewound_takes_back_all_but_states_after_its_step() -> None:
    told = [
        ("state", {"state": "running", "step": 0}),
        ("point", {"step": 3}),
        ("epoch", {"step": 10}),
        ("change", {"step": 12}),
        ("state", {"state": "interrupted", "step": 14}),
        ("rewound", {"step": 10}),
        ("point", {"step": 11}),
    ]
    events = [Event(number, kind, data) for number, (kind, data) in enumerate(told, 1)]
    assert [event.id for event in what_stands(events)] == [1, 2, 3, 5, 7]


def test_the_moment_is_replaced_whole(tmp_path: Path) -> None:
    assert read_now(tmp_path) is None
    write_now(tmp_path, {"step": 1})
    write_now(tmp_path, {"step": 2})
    assert read_now(tmp_path) == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["now.json"]
    (tmp_path / "now.json").write_text("{")
    assert read_now(tmp_path) is None


def test_an_event_is_sent_as_browsers_want_it() -> None:
    assert encoded(Event(7, "point", {"step": 1})) == b'id: 7\nevent: point\ndata: {"step": 1}\n\n'
    assert encoded(Event(None, "now", {})) == b"event: now\ndata: {}\n\n"


def test_a_stream_of_a_run_that_has_ended_is_its_journal_the_moment_and_an_end(
    journal: Journal,
) -> None:
    journal.append("point", point_at(1))
    journal.append("state", {"state": "done"})
    write_now(journal.folder, {"step": 1})
    assert [parsed(part) for part in followed(journal.folder)] == [
        ("point", 1, point_at(1)),
        ("state", 2, {"state": "done"}),
        ("now", None, {"step": 1}),
        ("end", None, {}),
    ]


@pytest.mark.parametrize("state", FINAL)
def test_a_stream_ends_with_each_final_state(journal: Journal, state: str) -> None:
    journal.append("state", {"state": state})
    assert parsed(followed(journal.folder)[-1])[0] == "end"


def test_a_stream_goes_on_after_the_event_that_was_seen_last(journal: Journal) -> None:
    for step in range(5):
        journal.append("point", point_at(step))
    journal.append("state", {"state": "done"})
    for after in range(7):
        ids = [parsed(part)[1] for part in followed(journal.folder, after=after)]
        assert ids == [*range(after + 1, 7), None]


def test_a_run_that_was_taken_up_again_has_not_ended(journal: Journal) -> None:
    for state in ("interrupted", "starting", "done"):
        journal.append("state", {"state": state})
    assert [parsed(part)[0] for part in followed(journal.folder)] == ["state"] * 3 + ["end"]


def test_a_stream_tells_what_comes_while_it_is_open(journal: Journal) -> None:
    async def watched() -> list[tuple[str, int | None, dict[str, Any]]]:
        stream: AsyncIterator[bytes] = follow(journal.folder, poll=0.001)
        got = []
        journal.append("state", {"state": "running"})
        got.append(parsed(await anext(stream)))
        write_now(journal.folder, {"step": 4})
        got.append(parsed(await anext(stream)))
        journal.append("point", point_at(5))
        got.append(parsed(await anext(stream)))
        journal.append("state", {"state": "stopped"})
        got += [parsed(part) async for part in stream]
        return got

    assert asyncio.run(asyncio.wait_for(watched(), 30)) == [
        ("state", 1, {"state": "running"}),
        ("now", None, {"step": 4}),
        ("point", 2, point_at(5)),
        ("state", 3, {"state": "stopped"}),
        ("end", None, {}),
    ]


def test_the_moment_is_told_at_most_five_times_a_second_but_the_last_always(
    journal: Journal,
) -> None:
    seconds = 0.0

    def clock() -> float:
        nonlocal seconds
        seconds += 0.01
        write_now(journal.folder, {"at": seconds})  # a new one at each look
        if seconds > 2 and not journal.path.exists():
            journal.append("state", {"state": "done"})
        return seconds

    told = [parsed(part) for part in followed(journal.folder, clock=clock)]
    moments = [data["at"] for kind, _, data in told if kind == "now"]
    gaps = [later - sooner for sooner, later in pairwise(moments[:-1])]
    assert len(gaps) >= 5
    assert min(gaps) >= 0.2 - 1e-9
    assert [kind for kind, _, _ in told[-3:]] == ["state", "now", "end"]


def test_silence_is_broken_by_comments_that_are_no_events(journal: Journal) -> None:
    seconds = 0.0

    def clock() -> float:
        nonlocal seconds
        seconds += 1.0
        if seconds > 100 and not journal.path.exists():
            journal.append("state", {"state": "done"})
        return seconds

    parts = followed(journal.folder, clock=clock, heartbeat=15)
    beats = [part for part in parts if part.startswith(b":")]
    assert 4 <= len(beats) <= 7
    assert all(part.endswith(b"\n\n") for part in beats)


def test_a_stream_ends_without_a_word_when_the_server_closes(journal: Journal) -> None:
    journal.append("state", {"state": "running"})
    looks = iter([False, False, True])
    parts = followed(journal.folder, closing=lambda: next(looks))
    assert [parsed(part)[0] for part in parts] == ["state"]
