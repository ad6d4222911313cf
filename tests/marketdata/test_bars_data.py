"""Bars of recorded trades against the bars that others made of them."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.feather as feather
import pytest

from onetape.marketdata.bars import BarBuilder
from onetape.model.enums import Side
from onetape.model.instrument import Instrument
from onetape.model.market import Bar, Quote, Trade

SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FREQTRADE = SHARED_DATA / "bars" / "freqtrade"
LEAN_EQUITY = SHARED_DATA / "lean" / "equity" / "usa"

XRP_ETH = Instrument("XRP-ETH.BINANCE", tick_size="0.00000001", lot_size="1")


@pytest.fixture(scope="module")
def trades() -> list[Trade]:
    path = FREQTRADE / "XRP_ETH-trades.json.gz"
    if not path.exists():
        pytest.skip(f"no recorded trades at {path}")
    rows = json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)
    return [
        Trade(
            XRP_ETH,
            XRP_ETH.price_raw(price),
            XRP_ETH.qty_raw(size),
            Side.BUY if side == "buy" else Side.SELL,
            trade_id,
            milliseconds * 1_000_000,
            milliseconds * 1_000_000,
        )
        for milliseconds, trade_id, _, side, price, size, _ in rows
    ]


@pytest.mark.parametrize(("spec", "expected_bars"), [("1m", 2469), ("5m", 706)])
def test_binance_trades_make_the_published_bars(trades: list[Trade], spec: str, expected_bars: int) -> None:
    bars: list[Bar] = []
    builder = BarBuilder(XRP_ETH, spec, bars.append)
    for trade in trades:
        builder.update_trade(trade)
    builder.flush()
    made = {
        bar.ts_open: tuple(map(XRP_ETH.format_price, (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw)))
        + (XRP_ETH.format_size(bar.volume_raw),)
        for bar in bars
    }
    published = feather.read_table(FREQTRADE / f"XRP_ETH-{spec}.feather").to_pylist()
    in_trades = [row for row in published if _ns(row["date"]) in made]
    assert len(bars) == len(in_trades) == expected_bars
    for row in in_trades:
        prices = tuple(f"{Decimal(repr(row[name])):.8f}" for name in ("open", "high", "low", "close"))
        assert made[_ns(row["date"])] == (*prices, f"{Decimal(repr(row['volume'])):.0f}")
    span = range(bars[0].ts_open, bars[-1].ts_open + 1)
    empty = [row for row in published if _ns(row["date"]) in span and _ns(row["date"]) not in made]
    assert all(row["volume"] == 0 for row in empty), "a published bar with volume has no trades"


def _ns(date: datetime) -> int:
    return int(date.timestamp()) * 1_000_000_000


def test_gaps_filled_are_the_published_empty_bars(trades: list[Trade]) -> None:
    bars: list[Bar] = []
    builder = BarBuilder(XRP_ETH, "1m", bars.append, fill_gaps=True)
    for trade in trades:
        builder.update_trade(trade)
    published = {
        _ns(row["date"]): row["close"]
        for row in feather.read_table(FREQTRADE / "XRP_ETH-1m.feather").to_pylist()
        if row["volume"] == 0
    }
    filled = [bar for bar in bars if bar.count == 0]
    assert filled
    for bar in filled:
        assert bar.ts_open not in published or published[bar.ts_open] == bar.close


@pytest.mark.parametrize(("symbol", "equal", "minutes"), [("ibm", 451, 453), ("spy", 828, 828), ("aig", 432, 433)])
def test_second_bars_make_minute_bars(symbol: str, equal: int, minutes: int) -> None:
    """The three minutes that differ are an opening and two closings: the seconds lack the auctions."""
    seconds = LEAN_EQUITY / "second" / symbol / "20131007_trade.zip"
    if not seconds.exists():
        pytest.skip(f"no second bars at {seconds}")
    instrument = Instrument(f"{symbol.upper()}.NYSE", tick_size="0.0001", lot_size="1")
    bars: list[Bar] = []
    builder = BarBuilder(instrument, "1m@America/New_York", bars.append)
    for bar in _lean_bars(seconds, instrument, "1s", 1):
        builder.update_bar(bar)
    builder.flush()
    expected = _lean_bars(LEAN_EQUITY / "minute" / symbol / "20131007_trade.zip", instrument, "1m", 60)
    made = {bar.ts_open: bar for bar in bars}
    assert len(made) == len(bars)
    same_prices = [
        bar
        for bar in expected
        if (got := made.get(bar.ts_open)) is not None
        and (got.open_raw, got.high_raw, got.low_raw, got.close_raw)
        == (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw)
    ]
    assert (len(same_prices), len(expected)) == (equal, minutes)


@pytest.mark.parametrize(
    ("resolution", "day", "count"), [("second", 1, 12564), ("minute", 1, 1363), ("minute", 2, 1222)]
)
def test_quotes_make_bars_of_bids_and_of_asks(resolution: str, day: int, count: int) -> None:
    folder = SHARED_DATA / "lean" / "forex" / "oanda"
    name = f"eurusd/2014050{day}_quote.zip"
    if not (folder / "tick" / name).exists():
        pytest.skip(f"no quotes at {folder}")
    eurusd = Instrument("EUR-USD.OANDA", tick_size="0.00001", lot_size="1")
    made: dict[int, list[str]] = {}
    for source in ("bid", "ask"):
        bars: list[Bar] = []
        builder = BarBuilder(eurusd, f"1{resolution[0]}:{source}", bars.append)
        for milliseconds, bid, ask in _rows(folder / "tick" / name):
            ts = int(milliseconds) * 1_000_000
            builder.update_quote(Quote(eurusd, eurusd.parse_price(bid), eurusd.parse_price(ask), 0, 0, 0, ts, ts))
        builder.flush()
        for bar in bars:
            prices = (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw)
            made.setdefault(bar.ts_open // 1_000_000, []).extend(map(eurusd.format_price, prices))
    expected = {int(row[0]): row[1:5] + row[6:10] for row in _rows(folder / resolution / name)}
    assert len(expected) == count
    assert made == expected


def _rows(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        return [row.split(",") for row in archive.read(archive.namelist()[0]).decode().splitlines()]


def _lean_bars(path: Path, instrument: Instrument, spec: str, seconds: int) -> list[Bar]:
    midnight = _ns(datetime(2013, 10, 7, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC))
    bars = []
    for row in _rows(path):
        milliseconds, *numbers = (int(float(text)) for text in row)
        opened = midnight + milliseconds * 1_000_000
        closed = opened + seconds * 1_000_000_000
        bars.append(Bar(instrument, spec, *numbers, ts_open=opened, ts_event=closed, ts_recv=closed))
    return bars
