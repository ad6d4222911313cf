"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
TapeFolder = Annotated[Path, typer.Option("--tape", metavar="DIR", help="The tape: a folder.")]
Instruments = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        metavar="ID[,TERM=VALUE…]",
        help="As BTC-USDT.SIM,tick_size=0.1,lot_size=0.001; further terms: kind, multiplier, inverse, symbol, "
        "base, quote, settle, min_qty, max_qty, min_notional, maker_fee, taker_fee. Repeatable.",
    ),
]
