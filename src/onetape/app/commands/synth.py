"""``onetape synth``: make a market."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onetape.app.commands.options import Instruments, Json, TapeFolder

if TYPE_CHECKING:
    from onetape.app.terminal import Terminal
    from onetape.model.instrument import Instrument
    from onetape.sim.synth import SynthParameters

#: Without ``--instrument``.
BITCOIN = "BTC-USDT-PERP.SIM,kind=perpetual,tick_size=1,lot_size=0.001,maker_fee=-0.00002,taker_fee=0.0002"
BITCOIN_PRICE = "60000"


def synth_command(
    tape: TapeFolder,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same market.")] = 1,
    events: Annotated[int, typer.Option(min=0, help="How many updates, trades and quotes, of all instruments.")] = 0,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long, as 30m or 1d.  [default: 1h]")] = "",
    start: Annotated[str, typer.Option(metavar="TIME", help="When it begins.  [default: 2026-01-05T00:00:00]")] = "",
    instrument: Instruments = None,
    price: Annotated[list[str] | None, typer.Option(help="Where it starts; once, or once for each instrument.")] = None,
    rate: Annotated[float | None, typer.Option(help="Commands a second, about as many book updates.")] = None,
    volatility: Annotated[float | None, typer.Option(help="Ticks in one second, standard deviation.")] = None,
    trend: Annotated[float | None, typer.Option(help="Drift of a trend, in volatilities a second.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter of onetape.sim.synth.SynthParameters."),
    ] = None,
    correlation: Annotated[float, typer.Option(help="Of several instruments' fair prices.")] = 0.9,
    json: Json = False,
) -> None:
    """Make a realistic market from a seed and put it on a tape: book updates, trades and quotes.

    Several --instrument make markets that move together. The same command on the same tape changes nothing.
    """
    from onetape.app.terminal import command

    with command(json) as terminal:
        from onetape.app import option_values
        from onetape.model.errors import ConfigurationError
        from onetape.tape.catalog import Tape

        asked = {"rate": rate, "volatility": volatility, "trend": trend}
        given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        given |= option_values.pairs("--set", set_ or [])
        length = (
            option_values.duration("--duration", duration or ("" if events else "1h")) if duration or not events else 0
        )
        settings: dict[str, Any] = {"seed": seed, "events": events, "duration": length, "correlation": correlation}
        if start:
            settings["start"] = option_values.time_ns("--start", start)
        target = Tape.create(tape)
        texts = instrument or [BITCOIN]
        prices = price or ([BITCOIN_PRICE] if not instrument else [])
        if len(prices) not in (0, 1, len(texts)):
            raise ConfigurationError(f"--price is given {len(prices)} times for {len(texts)} instruments")
        instruments = [option_values.instrument(text, target.instruments) for text in texts]
        parameters = [
            _parameters(given, prices[number % len(prices)] if prices else None) for number in range(len(texts))
        ]
        _make(terminal, target, instruments, parameters, settings)


def _parameters(given: dict[str, Any], price: str | None) -> SynthParameters:
    from typing import get_type_hints

    import msgspec

    from onetape.app.option_values import decimal
    from onetape.model.errors import ConfigurationError
    from onetape.sim.synth import SynthParameters

    types = {name: kind for name, kind in get_type_hints(SynthParameters).items() if name != "price"}
    values: dict[str, Any] = {} if price is None else {"price": decimal("--price", price)}
    for name, value in given.items():
        if name not in types:
            raise ConfigurationError(f"--set {name}: there is no such parameter; there are {', '.join(types)}")
        try:
            values[name] = msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"--set {name}={value}: {error}") from None
    return SynthParameters(**values)


def _make(
    terminal: Terminal,
    tape: Any,
    instruments: list[Instrument],
    parameters: list[SynthParameters],
    settings: dict[str, Any],
) -> None:
    import time
    from dataclasses import asdict
    from hashlib import sha256

    from onetape.model.errors import ConfigurationError
    from onetape.sim.synth import DEFAULT_START, synth_many
    from onetape.tape.manifest import Source

    began = time.perf_counter()
    terms = [one.to_dict() for one in instruments]
    text = repr((settings, terms, [asdict(one) for one in parameters]))
    source = Source("synth", sha256(text.encode()).hexdigest(), "synth", {})
    earlier = next((one for one in tape.manifest.sources if one.sha256 == source.sha256), None)
    events: Counter[str] = Counter() if earlier is None else Counter(earlier.events)
    if earlier is None:
        taken = {stream.instrument for stream in tape.info().streams} & {one.id for one in instruments}
        if taken:
            raise ConfigurationError(
                f"{tape.path} has data of {', '.join(sorted(taken))} already; name another tape or instrument"
            )
        start = settings.get("start", DEFAULT_START)
        total = settings["events"] or settings["duration"]
        with terminal.progress("making a market", total) as advance, tape.writer() as writer:
            for columns in synth_many(instruments, parameters=parameters, **settings):
                writer.append_columns(columns)
                updates = int((columns["flags"] & 1).sum()) if columns.kind == "book" else columns.rows
                events[columns.kind] += updates
                done = int(columns["ts_recv"][-1]) - start if settings["duration"] else events.total()
                advance(min(done, total))
            writer.commit([Source("synth", source.sha256, source.settings, dict(events))])
    info = tape.info()
    streams = [stream for stream in info.streams if stream.instrument in {one.id for one in instruments}]
    document = {
        "tape": str(tape.path),
        "already_made": earlier is not None,
        "instruments": [one.id for one in instruments],
        "seed": settings["seed"],
        "events": dict(events),
        "first": min((stream.first for stream in streams), default=0),
        "last": max((stream.last for stream in streams), default=0),
        "bytes": info.bytes,
        "seconds": round(time.perf_counter() - began, 3),
    }
    terminal.document(document)
    if earlier is not None:
        terminal.show(f"{tape.path} has this market already; nothing was changed")
        return
    from onetape.app.commands.tape import streams_table

    terminal.show(streams_table(terminal, streams))
    terminal.show(
        f"{events.total():,} events, seed {settings['seed']}, {info.bytes / 1e6:,.1f} MB, "
        f"made in {document['seconds']:,} s: {tape.path}"
    )
