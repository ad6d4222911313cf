"""DBN files of every schema and version; values compared with what databento-dbn itself says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import databento_dbn
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tape_events import SHARED_DATA, shared

from onetape.marketdata.book import Book
from onetape.model.enums import InstrumentKind, OptionRight, Side
from onetape.model.errors import DecodeError, OnetapeError, TapeError
from onetape.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from onetape.tape.catalog import Tape
from onetape.tape.importers.dbn import _OrderBook
from onetape.tape.importers.dbn_instruments import describe
from onetape.tape.importers.import_file import import_file, import_files

FILES = sorted(
    path.relative_to(SHARED_DATA).as_posix()
    for path in (SHARED_DATA / "databento").rglob("*")
    if path.is_file() and not path.name.endswith((".jsonl", ".dbz"))
)
OLD = sorted(path.relative_to(SHARED_DATA).as_posix() for path in (SHARED_DATA / "databento").rglob("*.dbz"))


def records(name: str) -> list[Any]:
    data = shared(name).read_bytes()
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    return list(databento_dbn.DBNDecoder().write_and_decode(data))[1:]


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape.create(tmp_path / "tape")


@pytest.mark.skipif(not FILES, reason=f"needs databento of the shared data, which is not in {SHARED_DATA}")
def test_every_file_imports_without_a_loss(tmp_path: Path) -> None:
    for number, name in enumerate(FILES):
        tape = Tape.create(tmp_path / str(number))
        report = import_file(shared(name), tape)
        assert report.format == "dbn"
        assert (report.skipped_count, report.truncated) == (0, ""), name
        if ".frag" not in name and "live" not in name:
            used = report.events.total() + report.unused.total()
            assert used >= len(records(name)) or "mbo" in name, name
        assert len(list(tape.events())) == report.events.total() - report.events["instrument"], name
        assert not [f for f in tape.check() if f.kind not in ("crossed", "gap", "duplicate")], name


@pytest.mark.parametrize("name", OLD)
def test_the_format_before_dbn_is_refused_by_name(tape: Tape, name: str) -> None:
    with pytest.raises(TapeError, match="DBZ"):
        import_file(shared(name), tape)


@pytest.mark.parametrize("version", ["", ".v1", ".v2", ".v3"])
def test_trades_and_quotes_are_those_of_the_records(tape: Tape, version: str) -> None:
    name = f"databento/dbn/test_data.tbbo{version}.dbn{'.zst' if version else ''}"
    import_file(shared(name), tape)
    events = list(tape.events())
    quotes = [event for event in events if isinstance(event, Quote)]
    trades = [event for event in events if isinstance(event, Trade)]
    expected = records(name)
    assert len(quotes) == len(trades) == len(expected) == 2
    for record, quote, trade in zip(expected, quotes, trades):
        precision = quote.instrument.price_precision
        assert trade.price_raw * 10 ** (9 - precision) == record.price
        assert quote.bid_raw * 10 ** (9 - precision) == record.levels[0].bid_px
        assert quote.ask_raw * 10 ** (9 - precision) == record.levels[0].ask_px
        assert (trade.size_raw, quote.bid_size_raw) == (record.size, record.levels[0].bid_sz)
        assert (trade.ts_event, trade.ts_recv) == (record.ts_event, record.ts_recv)
        assert trade.side == {"A": Side.SELL, "B": Side.BUY, "N": Side.NONE}[str(record.side)]
        # The quote is the one the trade met.
        assert quote.seq < trade.seq
    assert {event.instrument.id for event in quotes} == {"ESH1.CME"}


def test_bars_end_after_their_interval(tape: Tape) -> None:
    name = "databento/databento-python/GLBX.MDP3/test_data.ohlcv-1h.dbn.zst"
    import_file(shared(name), tape)
    for record, bar in zip(records(name), tape.events(), strict=True):
        assert isinstance(bar, Bar)
        assert (bar.spec, bar.ts_open, bar.ts_event) == ("1h", record.ts_event, record.ts_event + 3_600 * 10**9)
        assert bar.close_raw * 10 ** (9 - bar.instrument.price_precision) == record.close
        assert bar.volume_raw == record.volume


def test_ten_levels_become_one_snapshot_and_changes(tape: Tape) -> None:
    name = "databento/databento-python/XNAS.ITCH/test_data.mbp-10.dbn.zst"
    import_file(shared(name), tape)
    events = list(tape.events())
    assert isinstance(events[0], BookSnapshot)
    assert all(isinstance(event, BookDelta) for event in events[1:])
    book = Book(events[0].instrument)
    for record, event in zip(records(name), events, strict=True):
        book.apply(event)  # type: ignore[arg-type]
        scale = 10 ** (9 - book.instrument.price_precision)
        for side, key in ((book.bids, "bid"), (book.asks, "ask")):
            expected = [(getattr(level, f"{key}_px"), getattr(level, f"{key}_sz")) for level in record.levels]
            found = [(side.price_of(i) * scale, side.size_of(i)) for i in range(side.count)]
            assert found == [level for level in expected if level[0] != databento_dbn.UNDEF_PRICE]


def test_every_order_of_a_day_sums_to_the_book(tape: Tape) -> None:
    name = "databento/esh4/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    report = import_file(shared(name), tape)
    assert report.unused == {}
    orders: dict[int, tuple[str, int, int]] = {}
    cleared = False
    for record in records(name):
        action = str(record.action)
        if action == "R" or (record.flags & databento_dbn.F_SNAPSHOT and not cleared):
            orders.clear()
            cleared = True
        if action in "AM" and action != "R":
            orders[record.order_id] = (str(record.side), record.price, record.size)
        elif action == "C":
            side, price, size = orders.pop(record.order_id)
            if size > record.size:
                orders[record.order_id] = (side, price, size - record.size)
    (stream,) = tape.streams(kinds=["book"])
    assert stream.instrument is not None
    book = Book(stream.instrument)
    for event in stream.events():
        book.apply(event)  # type: ignore[arg-type]
    scale = 10 ** (9 - book.instrument.price_precision)
    for side, key in ((book.bids, "B"), (book.asks, "A")):
        levels: dict[int, int] = {}
        for order_side, price, size in orders.values():
            if order_side == key:
                levels[price] = levels.get(price, 0) + size
        assert {side.price_of(i) * scale: side.size_of(i) for i in range(side.count)} == levels
    assert side.count > 100
    trades = [record for record in records(name) if str(record.action) == "T"]
    assert report.events["trade"] == len(trades) == 2_973


def test_definitions_make_instruments_that_later_files_use(tape: Tape) -> None:
    folder = "databento/catalogs/options_catalog/"
    paths = [
        shared(folder + "options_definition.dbn.zst"),
        shared(folder + "options_bbo-1m_2024-05-09T09-55_2024-05-09T10-05.dbn.zst"),
    ]
    first, second = import_files(paths, tape)
    assert first.events == {"instrument": 2}
    assert not second.inferred
    quote = next(iter(tape.events()))
    instrument = quote.instrument  # type: ignore[attr-defined]
    assert instrument.kind is InstrumentKind.OPTION
    assert instrument.option_right is OptionRight.PUT
    assert instrument.multiplier == 50 * 10**18
    assert str(instrument.strike // 10**18) in instrument.symbol
    again = Tape.create(tape.path.with_name("again"))
    import_file(shared("databento/definitions/definition-glbx-es-fut.dbn.zst"), again)
    (future,) = again.instruments.values()
    assert (future.kind, future.tick_raw, future.price_precision) == (InstrumentKind.FUTURE, 25, 2)
    assert future.multiplier == 50 * 10**18


def test_us_options_say_their_terms_in_their_symbol() -> None:
    name, terms = describe("AAPL  250221C00250500", "OPRA")
    assert name == "AAPL-USD-250221-250.5-C.OPRA"
    assert terms["option_right"] is OptionRight.CALL
    assert str(terms["strike"]) == "250.5"
    assert describe("UD:1V: GN 0933388", "CME")[0] == "UD:1V:_GN_0933388.CME"


def test_a_truncated_file_gives_its_whole_records(tmp_path: Path, tape: Tape) -> None:
    data = shared("databento/esh4/esh4-glbx-mdp3-20231225.mbo.dbn.zst").read_bytes()
    (tmp_path / "cut.dbn.zst").write_bytes(data[: len(data) // 2])
    report = import_file(tmp_path / "cut.dbn.zst", tape)
    assert "truncated" in report.truncated
    assert 10_000 < report.events["book"] < 40_000
    plain = shared("databento/dbn/test_data.trades.dbn").read_bytes()
    (tmp_path / "cut.dbn").write_bytes(plain[:-5])
    report = import_file(tmp_path / "cut.dbn", tape)
    assert "the last record has" in report.truncated
    assert report.events["trade"] == 1


@settings(max_examples=40)
@given(data=st.data())
def test_any_damage_is_reported_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(shared("databento/dbn/test_data.mbp-10.dbn").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damage")
    (folder / "x.dbn").write_bytes(content)
    tape = Tape.create(folder / "tape")
    try:
        import_file(folder / "x.dbn", tape)
    except OnetapeError:
        assert tape.info().rows == 0
    list(tape.events())


def test_a_file_that_is_not_dbn_is_refused(tmp_path: Path, tape: Tape) -> None:
    (tmp_path / "x.dbn").write_bytes(b"DBN\x03 nothing of the kind")
    with pytest.raises((DecodeError, TapeError)):
        import_file(tmp_path / "x.dbn", tape)


def message(action: str, side: str = "B", price: int = 10, size: int = 1, order: int = 1, flags: int = 0) -> Any:
    return SimpleNamespace(action=action, side=side, price=price, size=size, order_id=order, flags=flags)


@pytest.mark.parametrize(
    ("messages", "bids"),
    [
        ([message("A", size=5)], {10: 5}),
        ([message("A", size=5), message("A", size=2, order=2)], {10: 7}),
        ([message("A", size=5), message("C", size=2)], {10: 3}),
        ([message("A", size=5), message("C", size=5)], {}),
        ([message("A", size=5), message("C", size=9)], {}),
        ([message("A", size=5), message("M", price=9, size=4)], {9: 4}),
        ([message("M", price=9, size=4)], {9: 4}),
        ([message("A", size=5), message("T", size=5), message("F", size=5)], {10: 5}),
        ([message("A", size=5), message("R")], {}),
        ([message("A", size=5), message("A", price=8, order=3, flags=32)], {8: 1}),
        ([message("A", price=8, flags=32), message("A", price=7, order=2, flags=32)], {8: 1, 7: 1}),
        ([message("C", order=77)], {}),
        ([message("A", side="N")], {}),
        ([message("A", price=databento_dbn.UNDEF_PRICE)], {}),
    ],
)
def test_each_message_of_an_order_book(messages: list[Any], bids: dict[int, int]) -> None:
    book = _OrderBook()
    for one in messages:
        book.apply(one, one.action)
    assert book.levels[0] == bids
    assert book.levels[1] == {}
