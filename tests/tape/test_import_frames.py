"""Raw Binance frames: what decodes is on the tape, what does not is named by line, and nothing else changes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tape_events import shared

from onetape.marketdata.book import Book
from onetape.model import market as market_module
from onetape.model.enums import Health
from onetape.model.errors import TapeError
from onetape.model.market import BookDelta, BookSnapshot
from onetape.model.system import StreamHealth
from onetape.tape.catalog import Tape
from onetape.tape.importers.import_file import import_file, import_files
from onetape.tape.importers.request import Options

NOW = 1_723_161_255_000_000_000
SNAPSHOT = {"lastUpdateId": 10, "bids": [["100.0", "1"]], "asks": [["101.0", "2"]]}


def quote(sequence: int, symbol: str = "BTCUSDT") -> dict[str, object]:
    data = {"e": "bookTicker", "u": sequence, "s": symbol, "b": "100.0", "B": "1", "a": "101.0", "A": "2"}
    return {
        "stream": f"{symbol.lower()}@bookTicker",
        "data": {**data, "T": 1_723_161_255_000, "E": 1_723_161_255_001},
    }


def update(first: int, last: int, before: int) -> dict[str, object]:
    data = {"e": "depthUpdate", "E": 1_723_161_255_000, "T": 1_723_161_255_000, "s": "BTCUSDT"}
    data |= {"U": first, "u": last, "pu": before, "b": [["100.0", str(last)]], "a": []}
    return {"stream": "btcusdt@depth@0ms", "data": data}


def write(path: Path, *frames: object) -> Path:
    lines = [
        f"{NOW + i * 1_000} {frame if isinstance(frame, str) else json.dumps(frame, separators=(',', ':'))}"
        for i, frame in enumerate(frames)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape.create(tmp_path / "tape")


def test_bad_frames_are_named_by_line_and_the_stream_goes_on(tmp_path: Path, tape: Tape) -> None:
    missing = quote(3)
    del missing["data"]["b"]  # type: ignore[attr-defined]
    wrong = quote(4)
    wrong["data"]["b"] = "a lot"  # type: ignore[index]
    path = write(tmp_path / "f.txt", quote(1), "{not json", missing, wrong, quote(5), update(6, 10, 5), SNAPSHOT)
    text = path.read_text() + "no frame at all\n" + f"{10**19 * 9} {json.dumps(quote(9))}\n"
    path.write_text(text + f"{NOW} {json.dumps(quote(10))}\n")
    report = import_file(path, tape, format="binance-frames")
    assert [row.place for row in report.skipped] == [f"f.txt:{n}" for n in (2, 3, 4, 8, 9)]
    assert "`b`" in report.skipped[1].reason
    assert "$.data.b" in report.skipped[2].reason
    assert report.events["quote"] == 3
    assert (report.clamped, report.first_clamped) == (1, "f.txt:10")
    assert [event.frame for event in tape.events(kinds=["quote"])] == [1, 5, 10]
    assert tape.info().instruments == tuple(report.inferred)


def test_a_truncated_gzip_gives_its_whole_lines_and_the_place(tmp_path: Path, tape: Tape) -> None:
    path = write(tmp_path / "all.txt", *(quote(n) for n in range(5_000)))
    packed = gzip.compress(path.read_bytes())
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) * 2 // 3])
    report = import_file(tmp_path / "cut.gz", tape, format="binance-frames")
    assert "truncated" in report.truncated
    assert f"byte {len(packed) * 2 // 3}" in report.truncated
    assert 1_000 < report.events["quote"] < 5_000
    assert report.skipped_count == 0


def test_a_gap_in_the_book_is_on_the_tape(tmp_path: Path, tape: Tape) -> None:
    frames = [SNAPSHOT, update(9, 11, 8), update(12, 13, 11), update(16, 17, 15), update(18, 19, 17)]
    report = import_file(write(tmp_path / "f", update(5, 7, 4), *frames), tape, format="binance-frames")
    assert report.events["gap"] == 1
    assert report.events["book"] == 3
    healths = [event.health for event in tape.events(kinds=["health"]) if isinstance(event, StreamHealth)]
    assert Health.GAPPED in healths
    assert any("waits for a depth snapshot" in note for note in report.notes)
    assert any(finding.kind == "gap" for finding in tape.check())


def test_the_files_of_a_capture_are_merged_by_time(tmp_path: Path, tape: Tape) -> None:
    first = write(tmp_path / "a", update(9, 11, 8), update(12, 13, 11))
    (tmp_path / "b").write_text(
        "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000 -> 1723161255.0000005: "
        f"{json.dumps(SNAPSHOT)}\n"
    )
    reports = import_files([first, tmp_path / "b"], tape, Options(market="usdm"), format="binance-frames")
    assert [dict(report.events) for report in reports] == [{"book": 1, "health": 1}, {"book": 2, "health": 1}] or (
        sum(report.events["book"] for report in reports) == 3
    )
    books = list(tape.events(kinds=["book"]))
    assert isinstance(books[0], BookSnapshot)
    assert [event.sequence for event in books] == [10, 11, 13]  # type: ignore[attr-defined]
    again = import_files([first, tmp_path / "b"], tape, Options(market="usdm"), format="binance-frames")
    assert all(report.already_imported for report in again)


def test_an_unknown_market_is_refused(tmp_path: Path, tape: Tape) -> None:
    with pytest.raises(TapeError, match="spot, usdm, coinm"):
        import_file(write(tmp_path / "f", quote(1)), tape, market="options", format="binance-frames")


CAPTURES = {
    "usdm/btcusdt": ("usdm", ["hftbacktest/usdm/btcusdt_20240808.gz"]),
    "cm/btcusd_perp": ("coinm", ["hftbacktest/cm/btcusd_perp_20240808.gz"]),
    "spot/btcusdt": ("spot", ["hftbacktest/spot/btcusdt_20240808.gz", "hftbacktest/spot/btcusdt_20240809.gz"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURES)
def test_a_real_capture_has_the_same_book_on_the_tape(tape: Tape, name: str) -> None:
    if market_module.__file__.endswith(".py") and not name.startswith("cm"):
        pytest.skip("deep books take minutes on the pure build; the smallest capture stands for all there")
    market, paths = CAPTURES[name]
    expected = json.loads(shared("hftbacktest/expected_books.json").read_text())["books"][name]
    reports = import_files([shared(path) for path in paths], tape)
    assert sum(report.skipped_count for report in reports) == 0
    assert f"the frames look like market {market}" in reports[0].notes
    assert sum(report.events["trade"] for report in reports) == expected["trades"]
    (stream,) = tape.streams(kinds=["book"])
    assert stream.instrument is not None
    book = Book(stream.instrument)
    for event in stream.events():
        assert isinstance(event, (BookSnapshot, BookDelta))
        book.apply(event)
        assert not book.crossed
    assert book.sequence == expected["last_u"]
    for side, final, count in zip(
        (book.bids, book.asks), (expected["final_top3_bids"], expected["final_top3_asks"]), expected["levels"]
    ):
        best = [(side.price_of(i), side.size_of(i)) for i in range(3)]
        assert best == [(book.instrument.parse_price(price), book.instrument.parse_size(size)) for price, size in final]
        assert side.count == count
    assert not [finding for finding in tape.check() if finding.kind != "duplicate"]
    size = {info.kind: info.bytes / info.rows for info in tape.info().streams}
    assert size["book"] < 10
    assert size["quote"] < 16


@pytest.mark.parametrize(("venue", "books"), [("BINANCE", 176), ("BINANCE_FUTURES", 756), ("BINANCE_US", 336)])
def test_captures_of_cryptofeed_import_whole(tape: Tape, venue: str, books: int) -> None:
    paths = [shared(f"cryptofeed/{venue}/{venue}{part}.xz") for part in (".0", ".http.0.0", ".ws.1.0")]
    reports = import_files(paths, tape)
    assert sum(report.skipped_count for report in reports) == 0
    assert sum(report.clamped for report in reports) == 0
    assert sum(report.events["book"] for report in reports) == books
    assert not any(report.inferred for report in reports)
    assert {finding.kind for finding in tape.check()} <= {"duplicate"}
