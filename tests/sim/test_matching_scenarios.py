"""The scenarios of another exchange (exchange-core), played from their Gherkin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from onetape.model.enums import ExecType, Side, TimeInForce
from onetape.model.instrument import Instrument
from onetape.sim.match_report import MatchReport
from onetape.sim.matching import MatchingEngine

SHARED_DATA = Path(os.environ.get("ONETAPE_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
INSTRUMENT = Instrument("ETH-XBT.SIM", tick_size="1", lot_size="1")
BUY, SELL = Side.BUY, Side.SELL

# Balances, reserve prices and risk checks belong to its accounts, which a matching engine does not have.
OUT_OF_SCOPE = re.compile(r"New client \w+ has a balance:|A balance of a client \w+:|Add symbol")
PLACE = re.compile(
    r"A client (\w+) places an (ASK|BID) order (\d+) at (\d+)@(\d+) \(type: (\w+), symbol: (\w+)(?:, \w+: \w+)*\)"
)


@dataclass
class Scenario:
    name: str
    steps: list[tuple[str, list[list[str]]]] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)

    def expanded(self) -> Iterator[list[tuple[str, list[list[str]]]]]:
        for values in self.examples[1:] or [[]]:
            steps = []
            for text, table in self.steps:
                for name, value in zip(self.examples[0] if self.examples else [], values):
                    text = text.replace(f"<{name}>", value)
                steps.append((text, table))
            yield steps


def read_feature(path: Path) -> list[Scenario]:
    scenarios: list[Scenario] = []
    table: list[list[str]] = []
    background = Scenario("background")
    current = background
    for line in path.read_text().splitlines():
        text = line.strip()
        if text.startswith("Background:"):
            current = background
        elif text.startswith(("Scenario:", "Scenario Outline:")):
            current = Scenario(text.partition(":")[2].strip(), steps=list(background.steps))
            scenarios.append(current)
        elif text.startswith("Examples:"):
            table = current.examples
        elif text.startswith("|"):
            table.append([cell.strip() for cell in text.strip("|").split("|")])
        elif step := re.match(r"(?:Given|When|Then|And|But) (.*)", text):
            table = []
            current.steps.append((step[1], table))
    return scenarios


class Stage:
    """Plays the steps of a scenario on one engine a symbol."""

    def __init__(self) -> None:
        self.engines: dict[str, MatchingEngine] = {}
        self.symbols: dict[int, str] = {}
        self.owners: dict[str, int] = {}
        self.reports: list[MatchReport] = []
        self.skipped: list[str] = []

    def play(self, text: str, table: list[list[str]]) -> None:
        if OUT_OF_SCOPE.match(text):
            self.skipped.append(text)
        elif found := PLACE.fullmatch(text):
            client, side, order_id, price, size, kind, symbol = found.groups()
            owner = self.owners.setdefault(client, len(self.owners) + 1)
            made = self.engines.setdefault(symbol, MatchingEngine(INSTRUMENT))
            self.symbols[int(order_id)] = symbol
            self.reports = made.limit(
                int(order_id), BUY if side == "BID" else SELL, int(price), int(size), TimeInForce[kind], owner
            )
            assert self.reports[0].exec_type is ExecType.NEW
        elif found := re.fullmatch(r"A client \w+ moves a price to (\d+) of the order (\d+)", text):
            price, order_id = (int(value) for value in found.groups())
            made = self.engines[self.symbols[order_id]]
            order = made.order(order_id)
            assert order is not None
            self.reports = made.replace(order_id, price, order.filled_raw + order.remaining_raw)
            assert self.reports[0].exec_type is ExecType.REPLACED
        elif found := re.fullmatch(r"A client \w+ cancels the remaining size (\d+) of the order (\d+)", text):
            size, order_id = (int(value) for value in found.groups())
            self.reports = self.engines[self.symbols[order_id]].cancel(order_id)
            (report,) = self.reports
            assert (report.exec_type, report.size_raw) == (ExecType.CANCELED, size)
        elif found := re.fullmatch(
            r"The order (\d+) is (fully|partially) matched\. LastPx: (\d+), LastQty: (\d+)", text
        ):
            order_id, price, size = (int(found[place]) for place in (1, 3, 4))
            (trade,) = [r for r in self.reports if r.exec_type is ExecType.TRADE and r.maker_id == order_id]
            assert (trade.price_raw, trade.size_raw) == (price, size)
            assert (trade.maker_remaining_raw == 0) == (found[2] == "fully")
        elif text == "No trade events":
            assert not [r for r in self.reports if r.exec_type is ExecType.TRADE]
        elif found := re.fullmatch(r"An (\w+) order book is:", text):
            rows = table[1:] if "price" in table[0] else table
            made = self.engines[found[1]]
            assert made.levels(BUY) == [(int(price), int(bid)) for bid, price, _ in rows if bid]
            assert made.levels(SELL)[::-1] == [(int(price), int(ask)) for _, price, ask in rows if ask]
        elif found := re.fullmatch(r"A client (\w+) orders:", text):
            names = table[0]
            assert self.orders(found[1]) == sorted(
                (int(row["id"]), int(row["price"]), int(row["size"]), int(row["filled"]), row["side"])
                for row in (dict(zip(names, values)) for values in table[1:])
            )
        elif found := re.fullmatch(r"A client (\w+) does not have active orders", text):
            assert self.orders(found[1]) == []
        else:
            raise AssertionError(f"no such step: {text}")

    def orders(self, client: str) -> list[tuple[int, int, int, int, str]]:
        owned = (
            order
            for made in self.engines.values()
            for order in map(made.order, made.order_ids)
            if order is not None and order.owner == self.owners[client]
        )
        return sorted(
            (
                o.order_id,
                o.price_raw,
                o.filled_raw + o.remaining_raw,
                o.filled_raw,
                "BID" if o.side == BUY else "ASK",
            )
            for o in owned
        )


def features() -> list[Path]:
    return sorted((SHARED_DATA / "matching").rglob("*.feature"))


def test_exchange_core_scenarios() -> None:
    if not features():
        pytest.skip(f"no scenario files under {SHARED_DATA / 'matching'}")
    played = 0
    for path in features():
        for scenario in read_feature(path):
            for steps in scenario.expanded():
                stage = Stage()
                for text, table in steps:
                    stage.play(text, table)
                assert stage.engines, f"{scenario.name}: nothing was played"
                assert all("balance" in text or "symbol" in text for text in stage.skipped)
                played += 1
    assert played >= 3
