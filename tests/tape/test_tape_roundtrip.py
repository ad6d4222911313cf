"""What is appended comes back, whatever the chunks, commits, days and versions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tape_events import BTC, DAY, ETH, NOON, every_kind, trades

from onetape.model.columns import Columns
from onetape.model.enums import BookFlag
from onetape.model.errors import NumberError, TapeError, UnknownInstrumentError
from onetape.model.event import Event
from onetape.model.market import BookDelta, Trade
from onetape.tape import writer as writer_module
from onetape.tape.catalog import Tape
from onetape.tape.reader import columns_to_events


def order(event: Event) -> tuple[int, int]:
    return event.ts_recv, event.seq


def test_every_kind_comes_back_in_order(tmp_path: Path) -> None:
    events = every_kind(BTC, 50) + every_kind(ETH, 50, NOON + 500)
    events.sort(key=order)
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(events)
    again = Tape(tmp_path / "t")
    assert list(again.events()) == sorted(events, key=order)
    assert again.instrument(BTC.id) == BTC
    assert [path.name for path in (tmp_path / "t" / "trade" / BTC.id).iterdir()] == ["2024-08-08-0.parquet"]
    assert (tmp_path / "t" / "bar" / BTC.id / "1m" / "2024-08-08-0.parquet").exists()


@pytest.mark.parametrize("chunk_rows", [1, 2, 1_000, 10**9])
def test_chunks_of_any_size_hold_the_same_rows_and_whole_updates(tmp_path: Path, chunk_rows: int) -> None:
    events = every_kind(BTC, 200)
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(events)
    for stream in tape.streams(chunk_rows=chunk_rows, trade_ids=True):
        chunks = list(stream)
        expected = [event for event in events if stream.kind == event.KIND]
        if not stream.hot:
            assert [event for chunk in chunks for event in chunk] == expected
            continue
        assert [event for chunk in chunks for event in columns_to_events(chunk)] == expected
        if stream.kind == "book":
            assert all(chunk["flags"][-1] & BookFlag.LAST for chunk in chunks)
            assert all(chunk.rows <= max(chunk_rows, 3) for chunk in chunks)
        else:
            assert all(chunk.rows <= chunk_rows for chunk in chunks)


def test_columns_come_back_as_the_same_integers(tmp_path: Path) -> None:
    rows = 200_000
    rng = np.random.default_rng(3)
    times = NOON + np.cumsum(rng.integers(0, 10_000, rows))
    arrays = {
        "ts_recv": times,
        "ts_event": times - 77,
        "seq": np.arange(rows) << 16,
        "bid": rng.integers(-(10**17), 10**17, rows),
        "ask": rng.integers(-(10**17), 10**17, rows),
        "bid_size": rng.integers(0, 10**18, rows),
        "ask_size": rng.integers(0, 10**18, rows),
        "sequence": rng.integers(-(2**63), 2**63 - 1, rows),
    }
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.append_columns(Columns("quote", BTC, arrays))
    (stream,) = tape.streams()
    assert stream.instrument == BTC
    assert stream.rows == rows
    chunks = list(stream)
    for name, array in arrays.items():
        assert np.array_equal(np.concatenate([chunk[name] for chunk in chunks]), array), name


def test_anyone_can_read_the_files(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.append(Trade(BTC, 6_165_970, 150_000, 1, "77", ts_event=NOON, ts_recv=NOON + 1, seq=5))
    (path,) = (tmp_path / "t").rglob("*.parquet")
    schema = pq.ParquetFile(path).schema
    price = next(schema.column(i) for i in range(len(schema)) if schema.column(i).name == "price")
    assert price.physical_type == "INT64"
    assert str(price.logical_type) == "Decimal(precision=18, scale=2)"
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert pq.ParquetFile(path).metadata.row_group(0).column(1).statistics.has_min_max
    table = pq.read_table(path)
    assert str(table.column("price")[0]) == "61659.70"
    assert table.schema.field("ts_recv").type == pa.timestamp("ns", tz="UTC")
    assert table.column("ts_recv").cast(pa.int64()).to_pylist() == [NOON + 1]


def test_time_range_instruments_kinds_and_columns_are_chosen(tmp_path: Path) -> None:
    events = every_kind(BTC, 100) + every_kind(ETH, 100)
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(sorted(events, key=order))
    start, end = NOON + 10_000, NOON + 20_000
    chosen = list(tape.events([ETH.id], ["trade", "book"], start, end))
    assert chosen == [
        event
        for event in sorted(every_kind(ETH, 100), key=order)
        if event.KIND in ("trade", "book") and start <= event.ts_recv < end
    ]
    (stream,) = tape.streams([BTC.id], ["quote"], columns={"quote": ("bid",)})
    (chunk,) = list(stream)
    assert chunk["bid"].tolist() == [10] * 100
    assert not chunk["ask"].any()
    assert chunk["ts_recv"][0] == NOON
    assert tape.streams(start=end + DAY) == []
    with pytest.raises(UnknownInstrumentError, match="XRP"):
        tape.streams(["XRP-USDT.BINANCE"])
    with pytest.raises(TapeError, match="no column"):
        tape.streams(kinds=["quote"], columns={"quote": ("bidd",)})


def test_row_groups_outside_of_the_range_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 4 * writer_module.ROW_GROUP
    times = NOON + np.arange(rows)
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.append_columns(Columns("quote", BTC, {"ts_recv": times}))
    read: list[int] = []
    original = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, index: int, **options: object) -> pa.Table:
        read.append(index)
        return original(self, index, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    start = NOON + 2 * writer_module.ROW_GROUP + 10
    (stream,) = tape.streams(start=start, end=start + 5)
    assert np.concatenate([chunk["ts_recv"] for chunk in stream]).tolist() == list(range(start, start + 5))
    assert read == [2]


def test_a_new_version_begins_a_new_part_and_a_new_run(tmp_path: Path) -> None:
    finer = BTC.replace(tick_size="0.001", price_precision=3)
    events = [*trades(BTC, [NOON, NOON + 1]), *trades(finer, [NOON + 2, NOON + 3], 2)]
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(events)
    assert list(Tape(tmp_path / "t").events()) == events
    (stream,) = Tape(tmp_path / "t").streams()
    assert [(chunk.instrument.version, chunk.rows) for chunk in stream] == [(0, 2), (1, 2)]
    assert len(tape.info().streams[0].versions) == 2


def test_other_terms_under_a_known_version_are_refused(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(trades(BTC, [NOON]))
    other = BTC.replace(tick_size="1", version=0)
    with pytest.raises(TapeError, match=r"Instrument\.replace"), tape.writer() as writer:
        writer.extend(trades(other, [NOON + 1]))
    assert len(list(Tape(tmp_path / "t").events())) == 1


def test_a_busy_stream_has_a_file_a_day_and_a_sparse_one_has_no_crumbs(tmp_path: Path) -> None:
    rows = 3 * writer_module.ROW_GROUP
    midnight = NOON // DAY * DAY + DAY
    busy = midnight - rows // 2 + np.arange(rows)
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.append_columns(Columns("quote", BTC, {"ts_recv": busy}))
        writer.append_columns(Columns("bar", ETH, {"ts_recv": NOON + DAY * np.arange(400)}, spec="1d"))
    quotes = [part for part in tape.manifest.parts if part.kind == "quote"]
    assert [(part.first < midnight, part.last < midnight) for part in quotes] == [(True, True), (False, False)]
    assert [Path(part.path).name for part in quotes] == ["2024-08-08-0.parquet", "2024-08-09-0.parquet"]
    assert len([part for part in tape.manifest.parts if part.kind == "bar"]) == 1


def test_arrival_times_do_not_go_backwards_and_each_correction_is_counted(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        writer.extend(trades(BTC, [NOON, NOON + 9, NOON + 4, NOON + 10]))
        writer.append_columns(Columns("trade", BTC, {"ts_recv": np.array([NOON + 2, NOON + 11]), "size": np.ones(2)}))
    assert writer.clamped == {("trade", BTC.id, ""): 2}
    events = list(tape.events())
    assert [event.ts_recv - NOON for event in events] == [0, 9, 9, 10, 10, 11]
    assert [event.ts_event - NOON for event in events] == [0, 9, 4, 10, 2, 11]


def test_parts_that_overlap_are_merged(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    rng = np.random.default_rng(5)
    everything: list[int] = []
    for part in range(4):
        times = NOON + np.sort(rng.integers(0, 50, 3_000)) * 1_000
        everything += times.tolist()
        with tape.writer() as writer:
            writer.append_columns(Columns("trade", BTC, {"ts_recv": times, "seq": np.arange(3_000) * 4 + part}))
    (stream,) = tape.streams(chunk_rows=100)
    times = np.concatenate([chunk["ts_recv"] for chunk in stream])
    seqs = np.concatenate([chunk["seq"] for chunk in stream])
    assert times.tolist() == sorted(everything)
    assert [*zip(times, seqs)] == sorted(zip(times, seqs))


def test_overlapping_book_updates_stay_whole(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    events: list[Event] = []
    for part in range(2):
        mine: list[Event] = [
            BookDelta(BTC, ((k, 1), (k + 1, 2)), ((k + 5, 3),), k, k, -1, NOON, NOON + k // 3, k * 2 + part)
            for k in range(300)
        ]
        with tape.writer() as writer:
            writer.extend(mine)
        events += mine
    assert list(tape.events()) == sorted(events, key=order)


@settings(max_examples=25)
@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=60),
    commits=st.sets(st.integers(0, 60)),
    chunk=st.integers(1, 20),
)
def test_any_split_in_commits_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], commits: set[int], chunk: int
) -> None:
    tape = Tape.create(tmp_path_factory.mktemp("tape") / "t")
    now, events = NOON, []
    for i, (step, kind) in enumerate(steps):
        now += step
        levels = ((i, 1),) * (i % 3)
        stamp = {"ts_event": now, "ts_recv": now, "seq": i}
        events.append(
            (
                Trade(BTC, i, 1, **stamp),
                BookDelta(BTC, levels, levels, i, i, **stamp),
                Trade(ETH, i, 1, **stamp),
            )[kind]
        )
    with tape.writer() as writer:
        for i, event in enumerate(events):
            writer.append(event)
            if i in commits:
                writer.commit()
    assert [event for stream in tape.streams(chunk_rows=chunk) for event in stream.events()] == [
        event
        for stream in tape.streams()
        for event in events
        if (event.KIND, event.instrument.id) == (stream.kind, stream.instrument_id)
    ]
    assert list(tape.events()) == events


def test_memory_stays_bounded_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_MAX_BUFFERED", 10_000)
    monkeypatch.setattr(writer_module, "_MAX_OPEN", 3)
    instruments = [BTC.replace(id=f"C{i}-USDT.BINANCE", base=f"C{i}", symbol="", version=0) for i in range(12)]
    tape = Tape.create(tmp_path / "t")
    with tape.writer() as writer:
        for k in range(12):
            for instrument in instruments:
                times = NOON + 1_000 * k + np.arange(1_000)
                writer.append_columns(Columns("trade", instrument, {"ts_recv": times, "size": np.ones(1_000)}))
                assert writer._buffered <= 11_000
                assert sum(stream.file is not None for stream in writer._streams.values()) <= 3
    assert all(stream.rows == 12_000 for stream in tape.streams())
    assert tape.check() == []


def test_numbers_beyond_18_digits_and_cut_updates_are_refused(tmp_path: Path) -> None:
    tape = Tape.create(tmp_path / "t")
    with pytest.raises(NumberError, match="18 digits"), tape.writer() as writer:
        columns = Columns("trade", BTC, {"ts_recv": np.array([NOON]), "size": np.array([10**18])})
        writer.append_columns(columns)
    with pytest.raises(TapeError, match="within an update"), tape.writer() as writer:
        writer.append_columns(Columns("book", BTC, {"ts_recv": np.array([NOON]), "flags": np.array([0])}))
    assert tape.info().rows == 0
