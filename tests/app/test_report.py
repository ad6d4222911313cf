"""The HTML report: whole, self-contained, exact, and safe with any text."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from app_command import COUNTING, onetape

from onetape.app.report import page
from onetape.app.report.charts import MAX_MARKERS, figures
from onetape.app.report.page import report_html
from onetape.app.report.words import money_text, time_text
from onetape.app.run_record import RunRecord

Write = Callable[..., Path]
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def record(market: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = tmp_path_factory.mktemp("run")
    (folder / "mine.py").write_text(COUNTING)
    run = folder / "run.json"
    ran = onetape("backtest", folder / "mine.py", "--tape", market, "--save", run, "--set", "period=20", "--json")
    assert ran.code == 0, ran.err
    return RunRecord.read(run)


class Page(html.parser.HTMLParser):
    """Tags with their attributes, scripts by id, and the text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text = ""
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        else:
            self.text += data

    def json(self, name: str) -> Any:
        return json.loads(self.scripts[name])


def test_it_needs_no_network(record: RunRecord) -> None:
    shown = Page(report_html(record))
    for tag, attributes in shown.tags:
        assert not {"src", "href", "srcset", "action"} & attributes.keys(), (tag, attributes)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", shown.text + shown.scripts[""])
    packed = gzip.decompress(base64.b64decode(shown.scripts["plotly"])).decode()
    assert "plotly.js v" in packed[:300]


def test_it_says_what_the_run_says(record: RunRecord) -> None:
    shown = Page(report_html(record))
    summary = record.summary
    for text in (
        money_text(summary["pnl"]["USDT"]),
        money_text(summary["fees"]["USDT"]),
        f"{summary['orders']:,}",
        summary["digest"],
        "period",
        "20",
        "Counting",
        "BTC-USDT-PERP.SIM",
    ):
        assert text in shown.text
    tables = shown.json("tables")
    assert len(tables["orders"]["rows"]) == summary["orders"] == tables["orders"]["total"]
    assert len(tables["fills"]["rows"]) == summary["fills"]
    reason = [name for name, _ in tables["fills"]["columns"]].index("reason")
    assert tables["fills"]["rows"][0][reason].startswith("crossed the spread at 6")


def test_the_charts_show_the_run(record: RunRecord) -> None:
    drawn = figures(record)
    (equity,) = drawn["equity"]
    assert equity["data"][0]["y"][-1] == pytest.approx(float(record.summary["pnl"]["USDT"]))
    assert -min(equity["data"][1]["y"]) == pytest.approx(float(record.summary["max_drawdown"]["USDT"]))
    (price,) = drawn["price"]
    line, buys, sells, position = price["data"]
    assert len(buys["x"]) + len(sells["x"]) == record.summary["fills"]
    assert all(59_000 < y < 61_000 for y in (*buys["y"], *sells["y"], *filter(None, line["y"])))
    assert any("crossed the spread" in text for text in buys["text"])
    assert position["y"][-1] == float(record.summary["positions"]["BTC-USDT-PERP.SIM"])
    (bars,) = drawn["instruments"]
    assert bars["data"][-1]["x"] == [pytest.approx(float(record.summary["pnl"]["USDT"]))]


def test_no_text_of_the_run_becomes_markup(record: RunRecord) -> None:
    text = json.loads(json.dumps(msgspec.to_builtins(record)))
    for strategy in text["strategies"]:
        strategy.update({"id": EVIL, "file": EVIL, "parameters": {EVIL: EVIL}})
    for row in (*text["orders"], *text["fills"]):
        row[-1] = row[-2] = row[2] = EVIL
    text["tape"] = EVIL
    text["settings"] = {EVIL: EVIL}
    failure = {"strategy": EVIL, "event": EVIL, "error": EVIL, "ts": 0, "handler": EVIL, "where": EVIL}
    text["summary"]["failures"] = [failure]
    evil = msgspec.convert(text, RunRecord)
    shown = Page(report_html(evil))
    assert [attributes for tag, attributes in shown.tags if tag == "img" or "onerror" in attributes] == []
    assert len([tag for tag, _ in shown.tags if tag == "script"]) == 4
    assert EVIL in shown.text and "failed" in shown.text
    for figure in shown.json("figures")["price"]:
        for trace in figure["data"]:
            assert not any("<img" in hover for hover in trace.get("text", []))
    assert shown.json("tables")["fills"]["rows"][0][-1] == EVIL, "set as text by the page's script"


def test_many_rows_are_cut_and_counted(record: RunRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_ROWS", 10)
    tables = Page(report_html(record)).json("tables")
    assert len(tables["orders"]["rows"]) == 10
    assert tables["orders"]["total"] == record.summary["orders"] > 10


def test_many_fills_are_thinned(record: RunRecord) -> None:
    many = msgspec.structs.replace(record, fills=record.fills * (3 * MAX_MARKERS // len(record.fills)))
    (price,) = figures(many)["price"]
    shown = sum(len(trace["x"]) for trace in price["data"][1:3])
    assert shown <= MAX_MARKERS and re.search(r"1 of \d fills shown", price["title"])


def test_a_run_without_a_trade(market: Path, write: Write, tmp_path: Path) -> None:
    text = "from onetape.strategy.base import Strategy\nclass Idle(Strategy): pass\n"
    ran = onetape("backtest", write(text=text), "--tape", market, "--report", tmp_path / "r.html", "--json")
    assert ran.code == 0 and ran.json["orders"] == 0
    assert "Nothing was traded" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0.00"),
        ("-0.000000001", "0.00"),
        ("1234567.891", "1,234,567.89"),
        ("-12.3456789", "-12.3457"),
        ("0.00012345", "0.00012345"),
        ("100", "100.00"),
    ],
)
def test_money_for_readers(text: str, shown: str) -> None:
    assert money_text(text) == shown


def test_times_for_readers() -> None:
    assert time_text(1_767_571_200_123_456_789) == "2026-01-05 00:00:00.123456"
    assert time_text(1_767_571_200_000_000_000) == "2026-01-05 00:00:00"
