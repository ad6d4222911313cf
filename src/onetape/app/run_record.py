"""A run as a file: all that a report needs, one JSON document; money, prices and sizes as exact decimal text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from onetape._version import __version__
from onetape.app.result import Result
from onetape.app.strategy_file import describe_strategy
from onetape.app.whole_file import write_whole
from onetape.model.errors import TapeError
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE, format_money, format_raw
from onetape.model.orders import Fill, Order
from onetape.strategy.base import Strategy

#: Raised when older code could no longer read what is written here.
FORMAT = 1


class OrderRow(msgspec.Struct, array_like=True):
    id: str
    ts: int
    strategy: str
    instrument: str
    side: str
    type: str
    time_in_force: str
    qty: str
    price: str
    status: str
    filled: str
    average_price: str
    tag: str
    text: str


class FillRow(msgspec.Struct, array_like=True):
    order: str
    ts: int
    strategy: str
    instrument: str
    side: str
    qty: str
    price: str
    liquidity: str
    commission: str
    currency: str
    position: str
    reason: str
    tag: str


class InstrumentRow(msgspec.Struct):
    """What one instrument brought; profit and fees in ``currency``."""

    instrument: str
    currency: str
    position: str
    average_price: str
    realized: str
    unrealized: str
    fees: str
    pnl: str
    fills: int
    volume: str


class Equity(msgspec.Struct):
    """Columns: times, and for each currency (instrument) a profit (mark) at each, "" where none is known."""

    ts: list[int]
    pnl: dict[str, list[str]]
    marks: dict[str, list[str]]


class RunRecord(msgspec.Struct, kw_only=True):
    format: int = FORMAT
    onetape: str = __version__
    tape: str
    settings: dict[str, str]
    strategies: list[dict[str, Any]]
    summary: dict[str, Any]
    instruments: list[InstrumentRow]
    equity: Equity
    order_columns: tuple[str, ...] = OrderRow.__struct_fields__
    orders: list[OrderRow]
    fill_columns: tuple[str, ...] = FillRow.__struct_fields__
    fills: list[FillRow]

    def write(self, path: Path) -> None:
        write_whole(path, msgspec.json.encode(self))

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise TapeError(f"{path}: there is no such run; onetape backtest --save {path} writes one") from None
        try:
            version = msgspec.json.decode(data, type=_Format).format
            if version > FORMAT:
                raise TapeError(f"{path}: run of format {version}; this onetape {__version__} reads up to {FORMAT}")
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise TapeError(f"{path} is not a run that onetape backtest --save wrote: {error}") from None


class _Format(msgspec.Struct):
    format: int


def record_run(result: Result, strategies: Sequence[Strategy], tape: str, settings: dict[str, str]) -> RunRecord:
    """Everything of a run that is kept."""
    return RunRecord(
        tape=tape,
        settings=settings,
        strategies=[describe_strategy(strategy) for strategy in strategies],
        summary=result.to_dict(),
        instruments=list(_instruments(result)),
        equity=_equity(result),
        orders=[_order(order) for order in result.orders],
        fills=list(_fills(result.fills)),
    )


def _instruments(result: Result) -> Iterator[InstrumentRow]:
    marks = result.equity[-1].marks if result.equity else {}
    for position in result.positions:
        instrument = position.instrument
        unrealized = position.unrealized(marks.get(instrument.id, 0))
        yield InstrumentRow(
            instrument.id,
            instrument.settle,
            instrument.format_size(position.position_raw),
            _average(instrument, position.avg_px),
            format_money(position.realized),
            format_money(unrealized),
            format_money(position.fees),
            format_money(position.realized + unrealized - position.fees),
            position.fills,
            instrument.format_size(position.volume_raw),
        )


def _equity(result: Result) -> Equity:
    currencies = sorted({currency for point in result.equity for currency in point.pnl})
    instruments = {position.instrument.id: position.instrument for position in result.positions}
    instruments |= {order.instrument.id: order.instrument for order in result.orders}
    return Equity(
        [point.ts for point in result.equity],
        {currency: [format_money(point.pnl.get(currency, 0)) for point in result.equity] for currency in currencies},
        {name: [_mark(one, point.marks.get(name)) for point in result.equity] for name, one in instruments.items()},
    )


def _mark(instrument: Instrument, doubled: int | None) -> str:
    return "" if doubled is None else format_raw(doubled * 5, instrument.price_precision + 1)


def _average(instrument: Instrument, price: float | None) -> str:
    return "" if price is None else f"{price:.{instrument.price_precision + 2}f}"


def _order(order: Order) -> OrderRow:
    instrument = order.instrument
    prices = []
    if order.price_raw != NO_PRICE:
        prices.append(instrument.format_price(order.price_raw))
    if order.stop_px_raw != NO_PRICE:
        prices.append(f"stop {instrument.format_price(order.stop_px_raw)}")
    if order.trail_raw:
        prices.append(f"trail {instrument.format_price(order.trail_raw)}")
    return OrderRow(
        order.cl_ord_id,
        order.ts_created,
        order.strategy_id,
        instrument.id,
        order.side.name,
        order.ord_type.name,
        order.time_in_force.name,
        instrument.format_size(order.order_qty_raw),
        " ".join(prices),
        order.ord_status.name,
        instrument.format_size(order.cum_qty_raw),
        _average(instrument, order.avg_px),
        order.tag,
        order.text,
    )


def _fills(fills: Sequence[Fill]) -> Iterator[FillRow]:
    """With the net position after each."""
    positions: dict[str, int] = {}
    for fill in fills:
        instrument, order = fill.instrument, fill.order
        signed = fill.last_qty_raw if fill.side.name == "BUY" else -fill.last_qty_raw
        held = positions[instrument.id] = positions.get(instrument.id, 0) + signed
        yield FillRow(
            fill.cl_ord_id,
            fill.ts_event,
            "" if order is None else order.strategy_id,
            instrument.id,
            fill.side.name,
            instrument.format_size(fill.last_qty_raw),
            instrument.format_price(fill.last_px_raw),
            fill.liquidity.name,
            format_money(fill.commission),
            fill.commission_currency,
            instrument.format_size(held),
            fill.reason,
            "" if order is None else order.tag,
        )
