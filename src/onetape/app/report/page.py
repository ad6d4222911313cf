"""The HTML report of a run: one file, no network. Plotly's script is packed into it."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from onetape.app.report.charts import Figure, figures
from onetape.app.report.script import SCRIPT
from onetape.app.report.style import STYLE
from onetape.app.report.words import money_text, time_text
from onetape.app.run_record import RunRecord
from onetape.app.whole_file import write_whole

MAX_ROWS = 5_000

_NUMBERS = {
    "qty",
    "price",
    "filled",
    "average",
    "fee",
    "position",
    "realized",
    "unrealized",
    "fees",
    "P&L",
    "fills",
}


def write_report(record: RunRecord, path: Path) -> None:
    write_whole(path, report_html(record).encode())


def report_html(record: RunRecord) -> str:
    """The whole page. All text of the run is escaped."""
    charts = figures(record)
    tables = {"orders": _orders(record), "fills": _fills(record)}
    names = ", ".join(strategy["id"] for strategy in record.strategies)
    summary = record.summary
    length = timedelta(seconds=round((summary["end"] - summary["start"]) / 10**9))
    sections = [
        f"<h1>{escape(names)}</h1>",
        f'<p class="sub">{escape(record.tape)} · {length} from {time_text(summary["start"])[:19]} UTC</p>',
        *_failures(summary["failures"]),
        _cards(summary),
        "<h2>Equity</h2>",
        *_charts("equity", charts["equity"]),
        "<h2>Price and fills</h2>" if charts["price"] else "",
        *_charts("price", charts["price"]),
        "<h2>Profit and loss by instrument</h2>",
        _instruments(record),
        *_charts("instruments", charts["instruments"]),
        "<h2>Strategies</h2>",
        *_strategies(record),
        _settings(record),
        f"<h2>Orders ({summary['orders']:,})</h2>",
        '<div class="panel" id="orders"></div>',
        f"<h2>Fills ({summary['fills']:,})</h2>",
        '<div class="panel" id="fills"></div>',
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(names)} · onetape</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body><main>\n" + "\n".join(filter(None, sections)) + "\n</main>\n"
        f"{_data('figures', charts)}\n{_data('tables', tables)}\n"
        f'<script type="text/plain" id="plotly">{_plotly()}</script>\n<script>{SCRIPT}</script>\n</body></html>\n'
    )


def _plotly() -> str:
    script = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return base64.b64encode(gzip.compress(script, 9, mtime=0)).decode()


def _data(name: str, value: Any) -> str:
    text = msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _charts(section: str, charts: Sequence[Figure]) -> Iterable[str]:
    for number, chart in enumerate(charts):
        yield (
            f'<div class="panel"><p class="chart-title">{chart["title"]}</p>'
            f'<div class="chart" id="{section}-{number}" style="min-height:{chart["height"]}px"></div></div>'
        )


def _failures(failures: Sequence[dict[str, Any]]) -> Iterable[str]:
    for failure in failures:
        handler = f" in {failure['handler']}" if failure["handler"] else ""
        yield (
            f'<div class="panel failure"><b class="down">{escape(failure["strategy"])} failed</b> at '
            f"{time_text(failure['ts'])}{escape(handler)} of {escape(failure['event'])}: "
            f"{escape(failure['error'])}"
            f"<pre>{escape(failure['where'])}</pre></div>"
        )


def _cards(summary: dict[str, Any]) -> str:
    cards = []
    for currency, pnl in summary["pnl"].items():
        fall = money_text(summary["max_drawdown"].get(currency, "0"))
        sign = "down" if pnl.startswith("-") else "up"
        cards.append((f"P&L after fees, {currency}", money_text(pnl), f"max drawdown {fall}", sign))
    for currency, paid in summary["fees"].items():
        cards.append((f"Fees, {currency}", money_text(paid), "", ""))
    cards.append(("Orders", f"{summary['orders']:,}", f"{summary['rejected']:,} rejected", ""))
    cards.append(("Fills", f"{summary['fills']:,}", "", ""))
    cards.append(("Events", f"{summary['events']:,}", f"{summary['events_per_s']:,} a second", ""))
    return '<div class="cards">' + "".join(_card(*card) for card in cards) + "</div>"


def _card(name: str, value: str, more: str, sign: str) -> str:
    return (
        f'<div class="card"><div class="name">{escape(name)}</div><div class="value {sign}">{escape(value)}</div>'
        f'<div class="more">{escape(more)}</div></div>'
    )


def _instruments(record: RunRecord) -> str:
    if not record.instruments:
        return '<div class="panel">Nothing was traded.</div>'
    head = ("instrument", "position", "average", "realized", "unrealized", "fees", "P&L", "currency", "fills")
    rows = [
        (
            row.instrument,
            row.position,
            row.average_price,
            money_text(row.realized),
            money_text(row.unrealized),
            money_text(row.fees),
            money_text(row.pnl),
            row.currency,
            f"{row.fills:,}",
        )
        for row in record.instruments
    ]
    cells = "".join(
        "<tr>" + "".join(f"<td{_number(name)}>{escape(text)}</td>" for name, text in zip(head, row)) + "</tr>"
        for row in rows
    )
    heads = "".join(f"<th{_number(name)}>{escape(name)}</th>" for name in head)
    return f'<div class="panel"><table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div>'


def _number(name: str) -> str:
    return ' class="number"' if name in _NUMBERS else ""


def _strategies(record: RunRecord) -> Iterable[str]:
    for strategy in record.strategies:
        parameters = strategy["parameters"] or {"parameters": "none"}
        yield (
            f'<div class="panel"><p class="chart-title">{escape(strategy["id"])} '
            f"<code>{escape(strategy['file'])}:{escape(strategy['class'])}</code></p>{_list(parameters)}</div>"
        )


def _settings(record: RunRecord) -> str:
    digest = {"digest": record.summary["digest"], "onetape": record.onetape}
    return f'<div class="panel"><p class="chart-title">Run</p>{_list({**record.settings, **digest})}</div>'


def _list(terms: dict[str, str]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(str(text))}</code></dd>" for name, text in terms.items())
    return f"<dl>{items}</dl>"


def _orders(record: RunRecord) -> dict[str, Any]:
    names = ("time", "id", "strategy", "instrument", "side", "type", "qty", "price", "status", "filled", "average")
    rows = [
        (
            time_text(row.ts),
            row.id,
            row.strategy,
            row.instrument,
            row.side,
            f"{row.type} {row.time_in_force}",
            row.qty,
            row.price,
            row.status,
            row.filled,
            row.average_price,
            row.tag,
            row.text,
        )
        for row in record.orders[:MAX_ROWS]
    ]
    return _table((*names, "tag", "reason"), rows, len(record.orders))


def _fills(record: RunRecord) -> dict[str, Any]:
    names = ("time", "order", "strategy", "instrument", "side", "qty", "price", "reason", "liquidity", "fee", "")
    rows = [
        (
            time_text(row.ts),
            row.order,
            row.strategy,
            row.instrument,
            row.side,
            row.qty,
            row.price,
            row.reason,
            row.liquidity,
            money_text(row.commission),
            row.currency,
            row.position,
            row.tag,
        )
        for row in record.fills[:MAX_ROWS]
    ]
    return _table((*names, "position", "tag"), rows, len(record.fills))


def _table(names: Sequence[str], rows: Sequence[tuple[str, ...]], total: int) -> dict[str, Any]:
    return {"columns": [(name, name in _NUMBERS) for name in names], "rows": rows, "total": total}
