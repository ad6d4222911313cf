"""The report's charts as Plotly figures; ``$name`` colours are the page's own, light or dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from onetape.app.report.words import milliseconds, money_text, time_text
from onetape.app.run_record import Equity, FillRow, InstrumentRow, RunRecord

MAX_MARKERS = 4_000

Figure = dict[str, Any]


def figures(record: RunRecord) -> dict[str, list[Figure]]:
    """By section of the page."""
    return {
        "equity": [_equity(record.equity, currency) for currency in record.equity.pnl],
        "price": [_price(record, row) for row in record.instruments],
        "instruments": list(_by_instrument(record.instruments)),
    }


def _equity(equity: Equity, currency: str) -> Figure:
    times = [milliseconds(ts) for ts in equity.ts]
    values = [float(text) for text in equity.pnl[currency]]
    fall, top = [], 0.0
    for value in values:
        top = max(top, value)
        fall.append(value - top)
    name = escape(currency)
    return {
        "title": f"Profit and loss, {name}",
        "height": 420,
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": "P&L after fees",
                "x": times,
                "y": values,
                "line": {"color": "$accent", "width": 1.6},
                "fill": "tozeroy",
                "fillcolor": "$accent-soft",
                "hovertemplate": f"%{{y:,.4~f}} {name}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": "drawdown",
                "x": times,
                "y": fall,
                "yaxis": "y2",
                "line": {"color": "$down", "width": 1},
                "fill": "tozeroy",
                "fillcolor": "$down-soft",
                "hovertemplate": f"drawdown %{{y:,.4~f}} {name}<extra></extra>",
            },
        ],
        "layout": {
            "yaxis": {"domain": [0.32, 1], "title": {"text": name}},
            "yaxis2": {"domain": [0, 0.24], "title": {"text": "drawdown"}, "anchor": "x"},
            "showlegend": False,
        },
    }


def _price(record: RunRecord, row: InstrumentRow) -> Figure:
    fills = [fill for fill in record.fills if fill.instrument == row.instrument]
    step = -(-len(fills) // MAX_MARKERS) or 1
    shown = fills[::step]
    note = f" (1 of {step} fills shown)" if step > 1 else f", {len(fills):,} fills"
    marks = record.equity.marks.get(row.instrument, [])
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "mid price",
            "x": [milliseconds(ts) for ts in record.equity.ts],
            "y": [float(text) if text else None for text in marks],
            "line": {"color": "$muted", "width": 1.2},
            "hovertemplate": "%{y}<extra></extra>",
        },
        *_markers(shown),
        {
            "type": "scatter",
            "mode": "lines",
            "name": "position",
            "x": [milliseconds(fill.ts) for fill in shown],
            "y": [float(fill.position) for fill in shown],
            "yaxis": "y2",
            "line": {"color": "$accent", "width": 1.2, "shape": "hv"},
            "fill": "tozeroy",
            "fillcolor": "$accent-soft",
            "hovertemplate": "position %{y}<extra></extra>",
            "showlegend": False,
        },
    ]
    return {
        "title": f"{escape(row.instrument)}{note}",
        "height": 480,
        "data": data,
        "layout": {
            "hovermode": "closest",
            "yaxis": {"domain": [0.3, 1], "title": {"text": "price"}},
            "yaxis2": {"domain": [0, 0.22], "title": {"text": "position"}, "anchor": "x"},
        },
    }


def _markers(fills: list[FillRow]) -> Iterator[dict[str, Any]]:
    for side, color, symbol in (("BUY", "$up", "triangle-up"), ("SELL", "$down", "triangle-down")):
        mine = [fill for fill in fills if fill.side == side]
        yield {
            "type": "scatter",
            "mode": "markers",
            "name": side.lower(),
            "x": [milliseconds(fill.ts) for fill in mine],
            "y": [float(fill.price) for fill in mine],
            "text": [_hover(fill) for fill in mine],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "color": color,
                "symbol": symbol,
                "size": 9 if len(fills) < 500 else 6,
                "opacity": 0.9 if len(fills) < 500 else 0.6,
                "line": {"width": 0.5, "color": "$panel"},
            },
        }


def _hover(fill: FillRow) -> str:
    tag = f" · {escape(fill.tag)}" if fill.tag else ""
    return (
        f"<b>{fill.side} {fill.qty} @ {fill.price}</b>{tag}<br>{escape(fill.reason)}<br>"
        f"{fill.liquidity.lower()}, fee {money_text(fill.commission)} {escape(fill.currency)}<br>"
        f"order {escape(fill.order)} of {escape(fill.strategy)}<br>{time_text(fill.ts)}"
    )


def _by_instrument(rows: list[InstrumentRow]) -> Iterator[Figure]:
    """One chart for each currency, for their sizes do not compare."""
    for currency in sorted({row.currency for row in rows}):
        mine = [row for row in rows if row.currency == currency]
        names = [escape(row.instrument) for row in mine]
        parts = (("realized", 1, "$accent"), ("unrealized", 1, "$muted"), ("fees", -1, "$down"), ("pnl", 1, "$up"))
        yield {
            "title": f"By instrument, {escape(currency)}",
            "height": 150 + 90 * len(mine),
            "data": [
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": {"pnl": "P&L after fees"}.get(part, part),
                    "y": names,
                    "x": [sign * float(getattr(row, part)) for row in mine],
                    "marker": {"color": color},
                    "hovertemplate": "%{x:,.4~f}<extra>%{fullData.name}</extra>",
                }
                for part, sign, color in parts
            ],
            "layout": {
                "barmode": "group",
                "bargap": 0.35,
                "hovermode": "closest",
                "xaxis": {"type": "linear"},
                "yaxis": {"automargin": True, "autorange": "reversed", "ticksuffix": "  ", "tickformat": ""},
            },
        }
