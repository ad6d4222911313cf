"""CSV, Parquet and public-data files: good rows exact, bad rows named by line, nothing else lost."""

from __future__ import annotations

import gzip
import lzma
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tape_events import BTC, shared

from onetape.model.enums import Side
from onetape.model.errors import ConfigurationError, DecodeError, OnetapeError, TapeError
from onetape.model.market import Bar, BookDelta, BookSnapshot, FundingRate, Quote, Trade
from onetape.tape.catalog import Tape
from onetape.tape.importers import tabular
from onetape.tape.importers.import_file import import_file, import_files
from onetape.tape.importers.report import ImportReport

T = 1_723_118_400_000
NS = 10**6


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape.create(tmp_path / "tape")


def places(report: ImportReport) -> dict[str, str]:
    return {row.place: row.reason for row in report.skipped}


def write(tmp_path: Path, name: str, *rows: str) -> Path:
    path = tmp_path / name
    path.write_text("\n".join(rows) + "\n")
    return path


BAD_ROWS = (
    "time,px,qty,aggressor",
    f"{T},61659.70,0.5,buy",  # 2, good
    f"{T + 1},61659.7,,buy",
    f"{T + 1},x,0.5,buy",
    f"{T + 1},61659.70,0,buy",
    f"{T + 1},61659.70,-1,buy",
    f"{T + 1},61659.70,nan,buy",
    f"{T + 1},61659.70,1e30,buy",
    f"{T + 1},61659.705,1,buy",
    f"{T + 1},61659.70,1,sideways",
    f"{T + 1},61659.70,1",
    f"{T + 1},61659.70,1,buy,more",
    "",
    "yesterday,61659.70,1,buy",
    f"{T + 86_400_000},61659.70,1,buy",  # 15, leaps ahead and back
    f"{T + 2},61659.71,1.5,SELL",  # 16, good
    f"{T + 1},61659.72,2,",  # 17, late
    f"{T + 3},61659.73,9999999999999999,buy",
    f"{T + 4},61659.74,3,sell",  # 19, good
)
MAPPING = {"ts": "time", "price": "px", "size": "qty", "side": "aggressor"}


def test_bad_rows_are_named_by_line_and_the_good_ones_are_kept(tmp_path: Path, tape: Tape) -> None:
    path = write(tmp_path, "trades.csv", *BAD_ROWS)
    report = import_file(path, tape, instrument=BTC, mapping=MAPPING)
    found = {place.partition(":")[2]: reason for place, reason in places(report).items()}
    assert sorted(found, key=int) == [str(line) for line in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18)]
    assert "size is not a number: it is missing" in found["3"]
    assert "price is not a number: 'x'" in found["4"]
    assert "must be positive" in found["5"]
    assert "not a number: 'nan'" in found["7"]
    assert "nearest are 61659.70 and 61659.71" in found["9"]
    assert "sideways" in found["10"]
    assert "3 fields instead of 4" in found["11"]
    assert "5 fields instead of 4" in found["12"]
    assert "yesterday" in found["14"]
    assert "leaps ahead" in found["15"]
    assert "18 digits" in found["18"]
    assert report.skipped_count == 14
    assert report.events == {"trade": 4}
    assert (report.clamped, report.first_clamped) == (1, "trades.csv:17")
    assert list(tape.events()) == [
        Trade(BTC, 6_165_970, 50_000, Side.BUY, "", T * NS, T * NS, 2 << 16),
        Trade(BTC, 6_165_971, 150_000, Side.SELL, "", (T + 2) * NS, (T + 2) * NS, 16 << 16),
        Trade(BTC, 6_165_972, 200_000, Side.NONE, "", (T + 1) * NS, (T + 2) * NS, 17 << 16),
        Trade(BTC, 6_165_974, 300_000, Side.SELL, "", (T + 4) * NS, (T + 4) * NS, 19 << 16),
    ]


def test_the_same_file_twice_changes_nothing(tmp_path: Path, tape: Tape) -> None:
    path = write(tmp_path, "t.csv", "time,price,size", f"{T},1.5,2")
    import_file(path, tape)
    before = {file: file.read_bytes() for file in tape.path.rglob("*") if file.is_file()}
    for again in (Tape(tape.path), tape):
        report = import_file(path, again)
        assert report.already_imported
        assert report.events == {}
    moved = path.rename(tmp_path / "copy.csv")
    assert import_file(moved, tape).already_imported
    assert {file: file.read_bytes() for file in tape.path.rglob("*") if file.is_file()} == before
    other = import_file(moved, tape, instrument=BTC, mapping={"size": "1"})
    assert not other.already_imported


def test_an_instrument_is_inferred_and_said_so(tmp_path: Path, tape: Tape) -> None:
    path = write(tmp_path, "xrp-usd.csv", "time,price,size", f"{T},1.5000,2.125", f"{T + 1},1.25,3")
    report = import_file(path, tape, venue="KRAKEN")
    (made,) = report.inferred
    assert (made.id, made.price_precision, made.size_precision) == ("XRP.KRAKEN", 2, 3)
    finer = write(tmp_path, "xrp-2.csv", "time,price,size", f"{T + 2},1.001,2")
    report = import_file(finer, tape, venue="KRAKEN")
    assert [(one.version, one.price_precision) for one in report.inferred] == [(1, 3)]
    assert [event.price for event in tape.events()] == [1.5, 1.25, 1.001]  # type: ignore[attr-defined]
    assert [event.instrument.version for event in tape.events()] == [0, 0, 1]  # type: ignore[attr-defined]


def test_symbols_of_a_file_are_kept_apart_and_unknown_ones_reported(tmp_path: Path, tape: Tape) -> None:
    eth = BTC.replace(id="ETH-USDT.BINANCE", symbol="ETH", base="ETH", version=0)
    rows = ["symbol,time,price,size", f"BTC,{T},1,1", f"ETH,{T},2,1", f"DOGE,{T + 1},3,1", f"BTC,{T + 2},4,1"]
    path = write(tmp_path, "both.csv", *rows)
    report = import_file(path, tape, instrument={"BTC": BTC, "ETH": eth})
    assert places(report) == {"both.csv:4": "unknown symbol 'DOGE'"}
    assert [(e.instrument.id[:3], e.price) for e in tape.events()] == [  # type: ignore[attr-defined]
        ("BTC", 1.0),
        ("ETH", 2.0),
        ("BTC", 4.0),
    ]


def test_quotes_without_sizes_ask_for_them_and_take_a_number(tmp_path: Path, tape: Tape) -> None:
    path = write(tmp_path, "fx.csv", "timestamp,bid,ask", "2013-01-01 22:00:00.295000+00:00,86.655,86.728")
    with pytest.raises(ConfigurationError, match="bid_size, ask_size"):
        import_file(path, tape)
    import_file(path, tape, mapping={"bid_size": "1000000", "ask_size": "1000000"})
    (quote,) = tape.events()
    assert isinstance(quote, Quote)
    assert (quote.bid_raw, quote.ask_raw, quote.bid_size) == (86_655, 86_728, 1_000_000.0)


def test_bars_end_when_their_time_is_over(tmp_path: Path, tape: Tape) -> None:
    rows = [
        "Date;Open;High;Low;Close;Volume",
        "2024-01-01;1;3;0.5;2;10",
        "2024-01-02;2;2;2;2;1",
        "2024-01-04;2;1;3;2;1",
    ]
    report = import_file(write(tmp_path, "GOOG.csv", *rows), tape)
    assert list(places(report)) == ["GOOG.csv:4"]
    first, second = tape.events()
    assert isinstance(first, Bar)
    assert first.spec == "1d"
    assert first.ts_event - first.ts_open == 86_400 * 10**9 == second.ts_event - first.ts_event
    assert (first.open, first.high, first.low, first.close, first.volume) == (1, 3, 0.5, 2, 10)


@pytest.mark.parametrize("block", [60, 120, 1 << 20])
def test_book_rows_are_gathered_to_updates_also_across_batches(
    tmp_path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(tabular, "_BLOCK", block)
    rows = ["timestamp,local_timestamp,is_snapshot,side,price,amount"]
    rows += [f"{T},{T + 1},true,bid,10,1", f"{T},{T + 1},true,ask,11,2"]
    rows += [f"{T + k},{T + k + 1},false,{'bid,10.5' if k % 2 else 'ask,10.6'},{k}" for k in range(1, 4)]
    rows += [f"{T + 3},{T + 4},false,bid,10,0"]
    report = import_file(write(tmp_path, "book.csv", *rows), tape, instrument=BTC)
    assert report.events == {"book": 4}
    events = list(tape.events())
    assert isinstance(events[0], BookSnapshot)
    assert events[0].bids == ((1_000, 100_000),)
    assert isinstance(events[3], BookDelta)
    assert events[3].bids == ((1_050, 300_000), (1_000, 0))
    assert tape.check() == []


def test_parquet_of_floats_decimals_and_times(tmp_path: Path, tape: Tape) -> None:
    table = pa.table(
        {
            "timestamp": pa.array([T, T + 1, T + 2, T + 3], pa.timestamp("ms", "UTC")),
            "price": pa.array([39432.48, 39439.44, float("nan"), 1 / 3]),
            "quantity": pa.array([0.000263, 0.00031099999999999997, 1.0, 1.0]),
            "trade_id": [1, 2, 3, 4],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    report = import_file(tmp_path / "t.parquet", tape, instrument=BTC.replace(lot_size="0.000001", size_precision=6))
    assert [trade.size_raw for trade in tape.events()] == [263, 311]  # type: ignore[attr-defined]
    found = places(report)
    assert "nan" in found["t.parquet:3"]
    assert "off the grid" in found["t.parquet:4"]
    pq.write_table(
        table.set_column(1, "price", pa.array(["1.10", "2.2", "3", None]).cast(pa.decimal128(9, 2))),
        tmp_path / "d",
    )
    report = import_file(tmp_path / "d", Tape.create(tmp_path / "t2"), format="parquet")
    assert report.events == {"trade": 3}


def test_a_file_in_reverse_is_refused_with_advice(tmp_path: Path, tape: Tape) -> None:
    rows = ["time,price,size", *(f"{T - k},1,1" for k in range(100))]
    with pytest.raises(TapeError, match="sort the file"):
        import_file(write(tmp_path, "reverse.csv", *rows), tape)
    assert tape.info().rows == 0


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_truncated_file_gives_its_whole_lines(tmp_path: Path, tape: Tape, pack: object) -> None:
    rng = np.random.default_rng(1)
    text = "time,price,size\n" + "".join(f"{T + k},{rng.integers(10**6)}.5,1\n" for k in range(50_000))
    data = pack(text.encode())  # type: ignore[operator]
    path = tmp_path / "cut.csv"
    path.write_bytes(data[: len(data) // 2])
    report = import_file(path, tape)
    assert "truncated" in report.truncated
    assert "left out" in report.truncated
    assert 10_000 < report.events["trade"] < 45_000
    assert report.skipped_count == 0


def test_what_is_no_table_is_refused_by_name(tmp_path: Path, tape: Tape) -> None:
    for name, content, error in (
        ("empty.csv", b"", TapeError),
        ("noise.bin", b"\x00\x01\x02 no table", TapeError),
        ("nohead.csv", b"1,2,3\n4,5,6\n", DecodeError),
        ("bad.zip", b"PK\x03\x04 not a zip", DecodeError),
        ("bad.parquet", b"PAR1 not parquet", DecodeError),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error):
            import_file(tmp_path / name, tape)
    with pytest.raises(TapeError, match="cannot read"):
        import_file(tmp_path / "missing.csv", tape)
    with pytest.raises(TapeError, match="not a format"):
        import_file(tmp_path / "empty.csv", tape, format="excel")
    with pytest.raises(ConfigurationError, match="no column"):
        import_file(write(tmp_path, "t.csv", "time,price,size", f"{T},1,1"), tape, mapping={"price": "pryce"})
    with pytest.raises(ConfigurationError, match="not a field"):
        import_file(tmp_path / "t.csv", tape, mapping={"pryce": "price"})
    assert tape.info().rows == 0


@settings(max_examples=60)
@given(data=st.binary(max_size=300), name=st.sampled_from(["t.csv", "BTCUSDT-trades-2024-01-01.csv", "t.gz", "t.dbn"]))
def test_any_bytes_import_or_are_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / name
    for content in (data, b"time,price,size\n" + data, gzip.compress(data), b"1723161255030314667 {" + data):
        path.write_bytes(content)
        with suppress(OnetapeError):
            import_file(path, Tape.create(folder / "tape"))


def test_a_line_that_is_not_utf8_is_reported(tmp_path: Path, tape: Tape) -> None:
    (tmp_path / "t.csv").write_bytes(f"time,price,size\n{T},1,1\n{T},\xff,1\n\xfe\n{T + 1},2,1\n".encode("latin1"))
    report = import_file(tmp_path / "t.csv", tape)
    assert list(places(report)) == ["t.csv:4", "t.csv:3"]
    assert report.events == {"trade": 2}


def test_progress_goes_up_to_all_bytes(tmp_path: Path, tape: Tape) -> None:
    seen: list[tuple[int, int]] = []
    paths = [
        write(tmp_path, f"{n}.csv", "time,price,size", *(f"{T + k},1,{n + 1}" for k in range(20_000))) for n in range(2)
    ]
    import_files(paths, tape, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == sum(path.stat().st_size for path in paths)


# Binance public data


def public(tmp_path: Path, tape: Tape, name: str, *rows: str, zipped: bool = False, **options: str) -> ImportReport:
    path = write(tmp_path, name, *rows)
    if zipped:
        with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
            archive.write(path, path.name)
        path = path.with_suffix(".zip")
    report = import_file(path, tape, **options)  # type: ignore[arg-type]
    assert report.format == "binance-public"
    return report


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("scale", [1, 1_000])
def test_spot_trades_in_ms_and_us(tmp_path: Path, tape: Tape, zipped: bool, scale: int) -> None:
    row = f"51175358,17.80180000,5.69000000,101.29224200,{T * scale},True,True"
    report = public(tmp_path, tape, "BNBUSDT-trades-2024-08-08.csv", row, zipped=zipped)
    (trade,) = tape.events()
    assert isinstance(trade, Trade)
    assert (trade.price, trade.size, trade.side, trade.trade_id) == (17.8018, 5.69, Side.SELL, "51175358")
    assert trade.ts_event == T * NS
    assert trade.instrument.id == "BNB-USDT.BINANCE"
    assert report.inferred == [trade.instrument]


def test_futures_agg_trades_with_header(tmp_path: Path, tape: Tape) -> None:
    header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    report = public(tmp_path, tape, "BTCUSDT-aggTrades-2024-08.csv", header, f"26129,61000.1,4.704,1,2,{T},false")
    (trade,) = tape.events()
    assert report.skipped_count == 0
    assert isinstance(trade, Trade)
    assert (trade.instrument.id, trade.side, trade.seq >> 16) == ("BTC-USDT-PERP.BINANCE", Side.BUY, 2)


def test_coin_margined_trades(tmp_path: Path, tape: Tape) -> None:
    header = "id,price,qty,base_qty,time,is_buyer_maker"
    public(tmp_path, tape, "BTCUSD_PERP-trades-2024-08-08.csv", header, f"28457,9635.0,1,0.01037883,{T},true")
    (trade,) = tape.events()
    assert isinstance(trade, Trade)
    assert trade.instrument.id == "BTC-USD-PERP.BINANCE"
    assert trade.instrument.inverse


def test_klines_with_the_length_in_the_name(tmp_path: Path, tape: Tape) -> None:
    row = f"{T},4.1507,4.1587,4.1506,4.1554,539.23,{T + 3_599_999},2240.3986,13,401.82,1669.98121300,0"
    public(tmp_path, tape, "ADAUSDT-1h-2024-08.csv", row)
    (bar,) = tape.events()
    assert isinstance(bar, Bar)
    assert (bar.spec, bar.ts_open, bar.ts_event) == ("1h", T * NS, (T + 3_600_000) * NS)
    assert (bar.open, bar.high, bar.low, bar.close) == (4.1507, 4.1587, 4.1506, 4.1554)
    assert (bar.volume, bar.buy_volume, bar.count) == (539.23, 401.82, 13)


def test_monthly_klines_end_with_their_month(tmp_path: Path, tape: Tape) -> None:
    february = 1_706_745_600_000
    row = f"{february},1,1,1,1,1,{february + 29 * 86_400_000 - 1},1,1,1,1,0"
    public(tmp_path, tape, "ADAUSDT-1mo-2024-02.csv", row)
    (bar,) = tape.events()
    assert bar.spec == "1M"  # type: ignore[attr-defined]
    assert bar.ts_event == (february + 29 * 86_400_000) * NS


def test_book_ticker_and_funding_rate(tmp_path: Path, tape: Tape) -> None:
    header = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
    public(tmp_path, tape, "BTCUSDT-bookTicker-2024-08-08.csv", header, f"77,61000.1,2,61000.2,3,{T},{T + 4}")
    (quote,) = tape.events()
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.sequence) == (61000.1, 61000.2, 2, 3, 77)
    rows = ("calc_time,funding_interval_hours,last_funding_rate", f"{T},8,0.00010000", f"{T + 1},8,-", "x,8,1")
    report = public(tmp_path, tape, "BTCUSDT-fundingRate-2024-08.csv", *rows)
    assert list(places(report)) == ["BTCUSDT-fundingRate-2024-08.csv:3", "BTCUSDT-fundingRate-2024-08.csv:4"]
    (rate,) = tape.events(kinds=["funding_rate"])
    assert isinstance(rate, FundingRate)
    assert rate.rate_raw == 10**14


def test_depth_updates_and_snapshot(tmp_path: Path, tape: Tape) -> None:
    header = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu"
    rows = [f"BTCUSDT,{T},5,5,b,snap,100.1,1,-1", f"BTCUSDT,{T},5,5,a,snap,100.2,1,-1"]
    rows += [f"BTCUSDT,{T + 1},6,9,a,set,100.2,0,5", f"BTCUSDT,{T + 1},6,9,a,set,100.3,4,5"]
    rows += [f"BTCUSDT,{T + 2},10,10,a,delta,100.3,4,9"]
    report = public(tmp_path, tape, "BTCUSDT_T_DEPTH_2024-08-08.csv", header, *rows)
    assert report.skipped_count == 1
    snapshot, delta = tape.events()
    assert isinstance(snapshot, BookSnapshot)
    assert isinstance(delta, BookDelta)
    assert (delta.first_sequence, delta.sequence, delta.previous_sequence) == (6, 9, 5)
    assert delta.asks == ((1_002, 0), (1_003, 4))


def test_files_that_have_no_place_on_a_tape_are_refused_with_the_reason(tmp_path: Path, tape: Tape) -> None:
    with pytest.raises(TapeError, match="percentages"):
        public(tmp_path, tape, "BTCUSDT-bookDepth-2024-08-08.csv", "timestamp,percentage,depth,notional", "a,1,2,3")
    folder = tmp_path / "markPriceKlines"
    folder.mkdir()
    with pytest.raises(TapeError, match="mark price"):
        public(folder, tape, "BTCUSDT-1m-2024-08-08.csv", f"{T},1,1,1,1,0,{T},0,0,0,0,0")


def test_files_of_others(tmp_path: Path) -> None:
    expected = {
        "nautilus_trader/binance_ticks/btcusdt-trades.parquet": {"trade": 2001},
        "nautilus_trader/binance_ticks/btcusdt-quotes.parquet": {"quote": 451},
        "nautilus_trader/binance_ticks/ADABTC-1m-2021-11-27.csv": {"bar": 10},
        "nautilus_trader/xcme/6EH4.XCME_1min_bars_20240101_20240131.csv.gz": {"bar": 29_996},
        "nautilus_trader/tardis/csv/trades_1.csv": {"trade": 2},
        "nautilus_trader/tardis/csv_samples/bitmex_trades_XBTUSD.csv": {"trade": 10},
        "bars/freqtrade/XRP_ETH-1m.feather": {"bar": 2469},
        "bars/freqtrade/XRP_ETH-5m.feather": {"bar": 706},
        "bars/backtesting.py/GOOG.csv.xz": {"bar": 2148},
    }
    for number, (name, events) in enumerate(expected.items()):
        report = import_file(shared(name), Tape.create(tmp_path / str(number)))
        assert (report.events, report.skipped_count) == (events, 0), name
