"""Numbers and times as a reader wants them; the exact ones are in the run file and in ``--json``."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from onetape.model.codec import iso_time


def money_text(text: str) -> str:
    """Exact decimal text with thousands marked and 2 to 8 decimals: 8 significant below 1, else 2 to 4."""
    with localcontext() as context:
        context.prec = 60
        value = Decimal(text)
        places = 2 if abs(value) >= 100 else 4 if abs(value) >= 1 else 8
        rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    whole, _, decimals = f"{rounded:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(2, "0")
    shown = f"{whole}.{decimals}"
    return shown.removeprefix("-") if not rounded else shown


def time_text(ns: int) -> str:
    """UTC to the microsecond."""
    text = iso_time(ns // 1_000 * 1_000).removesuffix("Z").replace("T", " ")
    return text[:26]


def milliseconds(ns: int) -> float:
    """As Plotly takes times."""
    return ns / 1_000_000
