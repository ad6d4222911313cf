"""A tape that is missing, half-written, damaged, newer or on a full disk: named, and nothing committed is lost."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tape_events import BTC, ETH, NOON, every_kind, trades

from onetape.model.enums import Side
from onetape.model.errors import OnetapeError, TapeError
from onetape.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from onetape.model.system import Gap
from onetape.tape import manifest as manifest_module
from onetape.tape import writer as writer_module
from onetape.tape.catalog import Tape


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    made = Tape.create(tmp_path / "t")
    with made.writer() as writer:
        writer.extend(every_kind(BTC, 20))
    return made


def kinds(tape: Tape) -> list[str]:
    return [finding.kind for finding in tape.check()]


def test_a_missing_tape_a_file_and_another_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="there is no tape"):
        Tape(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(TapeError, match="is a file"):
        Tape(tmp_path / "file")
    with pytest.raises(TapeError, match="is a file"):
        Tape.create(tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    with pytest.raises(TapeError, match="not a tape"):
        Tape.create(tmp_path / "other")
    assert [finding.kind for finding in Tape.check_folder(tmp_path / "none")] == ["damaged"]


def test_a_half_written_tape_without_manifest_is_named(tape: Tape) -> None:
    (tape.path / "tape.json").unlink()
    with pytest.raises(TapeError, match="not finished"):
        Tape(tape.path)
    with pytest.raises(TapeError, match="not finished"):
        Tape.create(tape.path)


def test_a_newer_format_is_refused(tape: Tape) -> None:
    stored = json.loads((tape.path / "tape.json").read_text())
    stored["format"] = manifest_module.FORMAT + 1
    stored["parts"] = {"a": "shape of the future"}
    (tape.path / "tape.json").write_text(json.dumps(stored))
    with pytest.raises(TapeError, match=f"format {manifest_module.FORMAT + 1}"):
        Tape(tape.path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": "one"}', "\xff"])
def test_a_damaged_manifest_is_named(tape: Tape, content: str) -> None:
    (tape.path / "tape.json").write_text(content, "latin1")
    with pytest.raises(TapeError, match=r"tape\.json is damaged"):
        Tape(tape.path)


def test_a_whole_tape_has_only_what_is_in_its_data(tape: Tape) -> None:
    assert {finding.kind for finding in tape.check()} <= {"gap", "duplicate", "crossed"}


def test_left_over_files_are_named_and_harmless(tape: Tape) -> None:
    before = list(tape.events())
    folder = tape.path / "trade" / BTC.id
    (folder / "2024-08-08-1.parquet.tmp").write_bytes(b"PAR1 half")
    (folder / "2024-08-08-2.parquet").write_bytes(b"PAR1 renamed, not committed")
    assert kinds(tape).count("unfinished") == 2
    assert list(Tape(tape.path).events()) == before
    with Tape(tape.path).writer() as writer:
        writer.extend(trades(BTC, [NOON + 10**9]))
    assert len(list(Tape(tape.path).events())) == len(before) + 1


@pytest.mark.parametrize("damage", ["missing", "short", "long", "garbage"])
def test_damaged_files_are_named(tape: Tape, damage: str) -> None:
    path = tape.path / "quote" / BTC.id / "2024-08-08-0.parquet"
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "short":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "long":
        path.write_bytes(data + b"x")
    else:
        path.write_bytes(bytes(len(data)))
    (found,) = [finding for finding in tape.check() if finding.kind == "damaged"]
    assert found.place == f"quote/{BTC.id}/2024-08-08-0.parquet"
    if damage != "long":
        with pytest.raises(TapeError, match="2024-08-08-0"):
            list(tape.events(kinds=["quote"]))
    assert len(list(tape.events(kinds=["trade"]))) == 20


@pytest.mark.parametrize("kind", ["trade", "health"])
def test_any_flipped_byte_is_an_error_of_ours_or_harmless(tape: Tape, kind: str) -> None:
    path = tape.path / kind / BTC.id / "2024-08-08-0.parquet"
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with suppress(OnetapeError):
            list(tape.events(kinds=[kind]))


def test_any_flipped_byte_is_found_by_check(tape: Tape) -> None:
    path = tape.path / "trade" / BTC.id / "2024-08-08-0.parquet"
    data = path.read_bytes()
    for place in range(0, len(data), 97):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert kinds(tape).count("damaged") == 1


def test_an_exception_discards_what_was_not_committed(tape: Tape) -> None:
    before = list(tape.events())
    with pytest.raises(ZeroDivisionError), tape.writer() as writer:
        writer.extend(trades(ETH, [NOON, NOON + 1]))
        writer.commit()
        writer.extend(trades(BTC, [NOON + 10**9]))
        raise ZeroDivisionError
    again = Tape(tape.path)
    assert len(list(again.events())) == len(before) + 2
    assert "unfinished" not in kinds(again)


class _Full:
    """A file on a disk that fills up after some bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: Any) -> Any:
        self._room -= len(memoryview(data).cast("B"))
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 4, 500, 2_000])
def test_a_full_disk_leaves_the_tape_as_it_was(tape: Tape, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    before = list(tape.events())
    original = open

    def full_open(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = original(path, mode, *args, **options)
        return _Full(file, room) if mode == "wb" and str(path).endswith(".parquet.tmp") else file

    monkeypatch.setattr(writer_module, "open", full_open, raising=False)
    with pytest.raises(TapeError, match="disk is full"), tape.writer() as writer:
        writer.extend(every_kind(ETH, 500))
    monkeypatch.undo()
    for again in (tape, Tape(tape.path)):
        assert list(again.events()) == before
        assert "unfinished" not in kinds(again)
    with tape.writer() as writer:
        writer.extend(trades(ETH, [NOON]))
    assert len(list(Tape(tape.path).events())) == len(before) + 1


@pytest.mark.parametrize("nth", range(12))
def test_a_failure_at_any_step_of_a_commit_changes_nothing(
    tape: Tape, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    before = list(tape.events())
    steps = iter(range(10**6))

    def failing(original: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if next(steps) == nth:
                raise OSError(errno.EIO, "input/output error")
            return original(*args, **options)

        return call

    monkeypatch.setattr(writer_module, "sync", failing(writer_module.sync))
    monkeypatch.setattr(writer_module, "sync_folder", failing(writer_module.sync_folder))
    monkeypatch.setattr(manifest_module, "sync", failing(manifest_module.sync))
    monkeypatch.setattr(Path, "replace", failing(Path.replace))
    with pytest.raises(TapeError, match="last commit"), tape.writer() as writer:
        writer.extend(trades(BTC, [NOON + 10**9]) + trades(ETH, [NOON]))
        writer.append(Quote(BTC, 1, 2, 3, 4, ts_recv=NOON + 10**9))
    monkeypatch.undo()
    assert list(tape.events()) == before
    again = Tape(tape.path)
    assert list(again.events()) == before
    assert "damaged" not in kinds(again)


def test_a_process_killed_while_writing_leaves_the_last_commit(tape: Tape) -> None:
    before = list(tape.events())
    pid = os.fork()
    if pid == 0:
        writer = Tape(tape.path).writer()
        writer.__enter__()
        writer.extend(trades(BTC, [NOON + 10**9 + i for i in range(70_000)]))
        os._exit(9)
    assert os.waitpid(pid, 0)[1] >> 8 == 9
    assert list(Tape(tape.path).events()) == before
    assert kinds(tape).count("unfinished") == 1
    with tape.writer() as writer:
        writer.extend(trades(BTC, [NOON + 10**9]))
    assert len(list(tape.events())) == len(before) + 1


def test_two_writers_at_a_time_are_refused(tape: Tape) -> None:
    with tape.writer(), pytest.raises(TapeError, match="being written"), Tape(tape.path).writer():
        pass


def test_a_second_opened_tape_sees_what_the_first_committed(tape: Tape) -> None:
    other = Tape(tape.path)
    with tape.writer() as writer:
        writer.extend(trades(ETH, [NOON]))
    with other.writer() as writer:
        writer.extend(trades(ETH, [NOON + 1], 1))
    assert len(list(Tape(tape.path).events([ETH.id], ["trade"]))) == 2


def test_check_finds_what_is_wrong_in_the_rows(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    minute = 60 * 10**9
    with tape.writer() as writer:
        t = iter(range(NOON, NOON + 10**6))
        for _ in range(2):
            writer.append(Trade(BTC, 5, 1, Side.BUY, "same", ts_event=NOON, ts_recv=NOON))
        writer.append(Quote(BTC, 11, 10, 1, 1, ts_recv=next(t)))
        writer.append(Quote(BTC, 11, 0, 1, 0, ts_recv=next(t)))
        writer.append(Gap(BTC, "book", 5, 9, ts_recv=next(t)))
        for k in (0, 1, 4, 4):
            writer.append(Bar(BTC, "1m", 1, 1, 1, 1, 1, ts_open=NOON + k * minute, ts_recv=NOON + (k + 1) * minute))
        writer.append(BookSnapshot(ETH, ((10, 1),), ((11, 1),), 7, ts_recv=next(t)))
        writer.append(BookDelta(ETH, ((10, 2),), (), 8, 8, 7, ts_recv=next(t)))
        writer.append(BookDelta(ETH, ((10, 3),), (), 11, 11, 10, ts_recv=next(t)))
        writer.append(BookDelta(ETH, ((12, 3),), (), 12, 12, 11, ts_recv=next(t)))
        writer.append(BookDelta(ETH, ((13, 3),), (), 13, 13, 12, ts_recv=next(t)))
    found = {(finding.kind, finding.place.split()[0]): finding for finding in tape.check()}
    assert found["duplicate", "trade"].count == 1
    assert found["crossed", "quote"].count == 1
    assert found["gap", "gap"].count == 1
    assert found["gap", "bar"].count == 2
    assert found["duplicate", "bar"].count >= 1
    assert found["gap", "book"].count == 1
    assert "2024-08-08T12:00:00.000000005Z" in found["gap", "book"].place
    assert found["crossed", "book"].count == 1
    assert set(found) == {
        ("duplicate", "trade"),
        ("crossed", "quote"),
        ("gap", "gap"),
        ("gap", "bar"),
        ("duplicate", "bar"),
        ("gap", "book"),
        ("crossed", "book"),
    }


def test_check_finds_time_going_backwards(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_in_order", lambda batch, _: (batch, 0))
    with tape.writer() as writer:
        writer.extend(trades(ETH, [NOON + 5, NOON + 1, NOON + 9]))
    assert [finding.kind for finding in tape.check() if "ETH" in finding.place] == ["backwards"]
