"""The command in this process, and a strategy to give it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from typer.testing import CliRunner

from onetape.app.commands.application import application


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def onetape(*arguments: object) -> Ran:
    result = CliRunner().invoke(application, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return Ran(result.exit_code, result.stdout, result.stderr)


COUNTING = """
from onetape.strategy.base import Strategy

class Counting(Strategy):
    instrument_id: str = "BTC-USDT-PERP.SIM"
    period: int = 50
    size: float = 0.01

    def on_start(self):
        self.count = 0
        self.subscribe_trades(self.instrument_id)

    def on_trade(self, trade):
        self.count += 1
        if self.count % self.period == 0:
            self.handle(trade)

    def handle(self, trade):
        held = self.position(trade.instrument).position
        (self.buy if held <= 0 else self.sell)(trade.instrument, self.size, tag="<b>tag</b>")
"""
