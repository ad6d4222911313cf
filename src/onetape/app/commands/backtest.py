"""``onetape backtest``: strategies over a tape, against the simulated exchange."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onetape.app.commands.options import Json, TapeFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onetape.app.result import Result
    from onetape.app.terminal import Advance, Terminal
    from onetape.strategy.base import Strategy


def backtest_command(
    strategies: Annotated[
        list[str], typer.Argument(metavar="FILE[:Class]…", help="Several run together, in one market.")
    ],
    tape: TapeFolder,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter; Class.name=value for one of several strategies."
        ),
    ] = None,
    balance: Annotated[
        list[str] | None, typer.Option(metavar="USDT=100000", help="Cash to begin with. Repeatable.")
    ] = None,
    start: Annotated[str, typer.Option(metavar="TIME", help="As 2026-01-05T09:30, UTC; or ns.")] = "",
    end: Annotated[str, typer.Option(metavar="TIME", help="The first moment that is left out.")] = "",
    latency: Annotated[str, typer.Option(metavar="5ms|5ms,3ms", help="To the venue and back; or entry,response.")] = "",
    fees: Annotated[
        str, typer.Option(metavar="MAKER,TAKER", help="As 0.0001,0.0005.  [default: the instruments' own]")
    ] = "",
    limits: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ID:]NAME=VALUE,…",
            help="Of the risk gate: max_order_qty, max_order_notional, max_position, price_collar, "
            "max_orders_per_second, require_live. Repeatable.",
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write an HTML report.")] = None,
    save: Annotated[Path | None, typer.Option(metavar="RUN.json", help="Keep the run, for onetape report.")] = None,
    chunk_rows: Annotated[int, typer.Option(min=1, help="Rows read at a time; changes no result.")] = 65_536,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error, on stderr.")] = "info",
    json: Json = False,
) -> None:
    """Run strategies over a tape and say what came of it.

    Exits with 1 if a strategy failed. The digest is a SHA-256 over every order command and order event: two runs
    with one digest made the same decisions.
    """
    from onetape.app.terminal import command

    with command(json) as terminal:
        from onetape.app import option_values
        from onetape.app.exit_codes import ExitCode
        from onetape.app.run_record import record_run
        from onetape.app.strategy_file import load_strategies
        from onetape.app.terminal import check_log_level, logging_to
        from onetape.model.errors import ConfigurationError, UnknownInstrumentError
        from onetape.tape.catalog import Tape

        check_log_level(log_level)
        general, special = option_values.limits(limits or [])
        options: dict[str, Any] = {
            "balances": option_values.balances(balance or []),
            "fees": option_values.fees(fees) if fees else None,
            "latency": option_values.latency(latency) if latency else None,
            "limits": general,
            "limits_by_instrument": special,
            "start": option_values.time_ns("--start", start) if start else None,
            "end": option_values.time_ns("--end", end) if end else None,
            "chunk_rows": chunk_rows,
        }
        for path in (report, save):
            if path is not None and path.is_dir():
                raise ConfigurationError(f"{path} is a folder; name a file")
        market = Tape(tape)
        for place in special:
            if place not in market.instruments:
                raise UnknownInstrumentError(
                    f"--limits {place}: not on the tape; it has {', '.join(market.instruments) or 'nothing'}"
                )
        with logging_to(terminal, log_level):
            loaded = load_strategies(strategies, option_values.pairs("--set", set_ or []))
            result = _run(terminal, loaded, market, options)
        asked = {
            "balance": ", ".join(balance or []),
            "start": start,
            "end": end,
            "latency": latency or "none",
            "fees": fees or "the instruments' own",
            "limits": " ".join(limits or []),
        }
        record = record_run(result, loaded, str(tape), {name: value for name, value in asked.items() if value})
        if save is not None:
            record.write(save)
        if report is not None:
            from onetape.app.report.page import write_report

            write_report(record, report)
        terminal.document(
            {
                "onetape": record.onetape,
                "tape": record.tape,
                "strategies": record.strategies,
                "settings": record.settings,
                **record.summary,
                "report": None if report is None else str(report),
                "saved": None if save is None else str(save),
            }
        )
        if not json:
            from onetape.app.commands.summary import show_summary

            show_summary(terminal, record)
            for path, what in ((report, "report"), (save, "run")):
                if path is not None:
                    terminal.note(f"{what}: {path}")
        if result.failures:
            raise typer.Exit(ExitCode.FINDINGS)


def _run(terminal: Terminal, strategies: Sequence[Strategy], tape: Any, options: dict[str, Any]) -> Result:
    from onetape.app.backtest import Backtest
    from onetape.app.exit_codes import StrategyError
    from onetape.app.strategy_file import blame_strategies
    from onetape.model.errors import OnetapeError

    bars: list[Advance] = []

    def on_progress(ts: int) -> None:
        for advance in bars:
            advance(ts - test.first)

    test = Backtest(strategies, tape, **options, on_progress=on_progress)
    try:
        test.prepare()
    except OnetapeError:
        raise
    except Exception as error:
        raise StrategyError(f"on_start failed: {blame_strategies(error, strategies)}") from error
    with terminal.progress("backtest", test.last - test.first) as advance:
        bars.append(advance)
        try:
            return test.run()
        except SystemExit as error:
            raise StrategyError(f"a strategy called sys.exit({error.code!r})") from None
