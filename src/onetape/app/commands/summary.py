"""What a run came to, as tables in the terminal."""

from __future__ import annotations

from datetime import timedelta

from rich.markup import escape
from rich.table import Table

from onetape.app.report.words import money_text
from onetape.app.run_record import RunRecord
from onetape.app.terminal import Terminal
from onetape.model.codec import iso_time


def show_summary(terminal: Terminal, record: RunRecord) -> None:
    summary = record.summary
    grid = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for strategy in record.strategies:
        parameters = " ".join(f"{name}={value}" for name, value in strategy["parameters"].items())
        grid.add_row("strategy", f"[bold]{escape(strategy['id'])}[/]  {escape(parameters)}")
    length = timedelta(seconds=round((summary["end"] - summary["start"]) / 10**9))
    grid.add_row("tape", f"{escape(record.tape)}, {length} from {iso_time(summary['start'])[:19]}")
    grid.add_row("events", f"{summary['events']:,} in {summary['run_s']:.2f} s, {summary['events_per_s']:,} a second")
    grid.add_row("orders", f"{summary['orders']:,}, {summary['fills']:,} fills, {summary['rejected']:,} rejected")
    if summary["illegal_reports"]:
        grid.add_row("illegal", f"[red]{summary['illegal_reports']:,} reports that the order states forbid[/]")
    grid.add_row("digest", summary["digest"])
    terminal.show(grid)

    table = terminal.table(
        "currency", "P&L", "fees", "max drawdown", "cash", right=("P&L", "fees", "max drawdown", "cash")
    )
    for currency in sorted({*summary["pnl"], *summary["fees"], *summary["balances"]}):
        amounts = [summary[name].get(currency, "0") for name in ("pnl", "fees", "max_drawdown", "balances")]
        if any(amount != "0" for amount in amounts):
            table.add_row(escape(currency), _colored(amounts[0]), *(money_text(amount) for amount in amounts[1:]))
    if table.row_count:
        terminal.show(table)
    if record.instruments:
        names = ("position", "average price", "realized", "unrealized", "fees", "P&L", "fills")
        table = terminal.table("instrument", *names, right=names)
        for row in record.instruments:
            table.add_row(
                escape(row.instrument),
                row.position,
                row.average_price or "-",
                money_text(row.realized),
                money_text(row.unrealized),
                money_text(row.fees),
                f"{_colored(row.pnl)} {escape(row.currency)}",
                f"{row.fills:,}",
            )
        terminal.show(table)
    for failure in summary["failures"]:
        where = failure["where"].partition("\n")
        terminal.show(
            f"[bold red]{escape(failure['strategy'])} failed[/] at {iso_time(failure['ts'])} "
            f"in {escape(failure['handler'] or 'its handler')} of {escape(failure['event'])}: "
            f"{escape(failure['error'])}"
        )
        if where[0]:
            terminal.show(f"  {escape(where[0])}\n{escape(where[2])}".rstrip())


def _colored(text: str) -> str:
    shown = money_text(text)
    return f"[red]{shown}[/]" if text.startswith("-") else f"[green]{shown}[/]"
