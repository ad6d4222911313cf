"""Which instrument a DBN record means: by definitions, the file's symbol mappings, or its bare number."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from onetape.model.enums import InstrumentKind, OptionRight
from onetape.model.errors import ConfigurationError, NumberError
from onetape.model.instrument import Instrument
from onetape.tape.importers.request import Import

_UNDEF_PRICE = (1 << 63) - 1
_UNDEF_TIME = (1 << 64) - 1
_UNDEF_INT = (1 << 31) - 1
_DAY = 86_400 * 10**9
_EPOCH = date(1970, 1, 1).toordinal()

#: Venue by the first part of the dataset's name; others are called by that part itself.
VENUES = {"GLBX": "CME", "XNAS": "NASDAQ", "XNYS": "NYSE", "ARCX": "ARCA", "XASE": "AMEX", "OPRA": "OPRA"}
#: One record stream is told apart by publisher on these, not one market after the other.
_CONSOLIDATED = ("OPRA", "EQUS", "DBEQ", "XNAS.BASIC")
_KINDS = {
    "K": InstrumentKind.EQUITY,
    "B": InstrumentKind.EQUITY,
    "F": InstrumentKind.FUTURE,
    "S": InstrumentKind.FUTURE,
    "C": InstrumentKind.OPTION,
    "P": InstrumentKind.OPTION,
    "T": InstrumentKind.OPTION,
    "M": InstrumentKind.OPTION,
    "X": InstrumentKind.SPOT,
}
_RIGHTS = {"C": OptionRight.CALL, "P": OptionRight.PUT}
# Root, yymmdd, right, strike in thousandths: the OSI symbol of a listed US option.
_OSI = re.compile(r"^([A-Z0-9.]{1,6}) +(\d{6})([CP])(\d{8})$")
_PRICES = ("price", "open", "high", "low", "close")


class DbnInstruments:
    """Finds the instrument of each record, and makes one where there is none.

    An inferred instrument's tick is the last decimal seen; where a price has more, a new version begins.
    """

    def __init__(self, job: Import, name: str) -> None:
        self.job = job
        self.name = name
        self.schema = ""
        self.unused: Counter[str] = Counter()
        self._dataset = ""
        self._symbols: dict[int, str] = {}
        self._mappings: dict[int, list[tuple[int, int, str]]] = {}
        self._by_number: dict[Any, Instrument] = {}
        self._inferred: set[str] = set()
        self._publisher: int | None = None
        self._needed: dict[int, int] = {}

    def metadata(self, metadata: Any) -> None:
        self._dataset = metadata.dataset
        self.schema = str(metadata.schema or "")
        for symbol, intervals in metadata.mappings.items():
            for interval in intervals:
                number = interval["symbol"]
                if number.isdigit():
                    start, end = (_midnight(interval[key]) for key in ("start_date", "end_date"))
                    self._mappings.setdefault(int(number), []).append((start, end, symbol))
                elif symbol.isdigit():
                    self._symbols[int(symbol)] = number

    def map_symbol(self, record: Any) -> None:
        self._symbols[record.instrument_id] = record.stype_in_symbol or record.stype_out_symbol
        self._forget(record.instrument_id)

    def prepare(self, records: list[Any]) -> None:
        """Look at a run of records before it is used, to infer grids that hold for all of it."""
        needed: dict[int, int] = {}
        for record in records:
            if not hasattr(record, "instrument_id"):
                continue
            number = record.instrument_id
            known = needed.get(number, 0)
            for price in _prices(record):
                if price != _UNDEF_PRICE and price % _power(9 - known):
                    while price % _power(9 - known):
                        known += 1
            needed[number] = known
        for number, decimals in needed.items():
            if decimals > self._needed.get(number, -1):
                self._needed[number] = decimals
                self._forget(number)

    def of(self, record: Any) -> Instrument:
        """The instrument of a record."""
        number, publisher = record.instrument_id, record.publisher_id
        instrument = self._by_number.get((number, publisher))
        if instrument is None or (self._mappings and not self._mapped(number, record, instrument)):
            instrument = self._by_number[(number, publisher)] = self._find(record)
        return instrument

    def _forget(self, number: int) -> None:
        for key in [key for key in self._by_number if key[0] == number]:
            del self._by_number[key]

    def _mapped(self, number: int, record: Any, instrument: Instrument) -> bool:
        found = self._mappings.get(number)
        return found is None or len(found) == 1 or self._symbol(record) == instrument.symbol

    def _symbol(self, record: Any) -> str:
        number = record.instrument_id
        found = self._mappings.get(number, ())
        for start, end, symbol in found:
            if start <= record.ts_event < end or len(found) == 1:
                return symbol
        if found:
            return found[-1][2]
        return self._symbols.get(number) or str(number)

    def _venue(self, record: Any) -> str:
        venue = self.job.options.venue or VENUES.get(self._dataset.partition(".")[0], self._dataset.partition(".")[0])
        if self._publisher is None:
            self._publisher = record.publisher_id
        if record.publisher_id in (self._publisher, 0) or self._dataset.startswith(_CONSOLIDATED):
            return venue or "DATABENTO"
        self.job.report.note(f"{self.name}: records of publisher {record.publisher_id} are a venue of their own")
        return f"{venue or 'DATABENTO'}_{record.publisher_id}"

    def _find(self, record: Any) -> Instrument:
        symbol = self._symbol(record)
        given = self.job.known(symbol)
        if given is not None:
            return given
        if self.job.options.instrument is not None:
            raise ConfigurationError(f"unknown symbol {symbol!r}")
        decimals = self._needed.get(record.instrument_id, 0)
        instrument_id, terms = describe(symbol, self._venue(record))
        versions = self.job.manifest.versions.get(instrument_id)
        if not versions:
            made = Instrument(instrument_id, tick_size=f"1e-{max(decimals, 2)}", lot_size="1", **terms)
            self._inferred.add(instrument_id)
            self.job.report.inferred.append(made)
            return self.job.manifest.add_instrument(made)
        latest = versions[max(versions)]
        if decimals > latest.price_precision:
            changes: dict[str, Any] = {"price_precision": decimals}
            if instrument_id in self._inferred:
                changes["tick_size"] = f"1e-{decimals}"
            latest = self.job.manifest.add_instrument(latest.replace(**changes))
            self.job.report.note(f"{instrument_id} has prices of {decimals} decimals: version {latest.version}")
        return latest

    def define(self, record: Any) -> None:
        """Put a definition on the tape's list of instruments."""
        symbol = record.raw_symbol
        if not symbol:
            raise ConfigurationError("a definition without a symbol")
        if str(record.security_update_action) == "D":
            self.unused["definitions of deleted instruments"] += 1
            return
        self._symbols[record.instrument_id] = symbol
        self._forget(record.instrument_id)
        given = self.job.options.instrument
        if given is not None:
            return
        made = self._defined(record, symbol)
        versions = self.job.manifest.versions.get(made.id)
        if versions:
            latest = versions[max(versions)]
            if _terms(latest) == _terms(made):
                self.unused["definitions that change nothing"] += 1
                return
            made = made.replace(version=latest.version + 1)
        self.job.manifest.add_instrument(made)
        self.job.report.events["instrument"] += 1

    def _defined(self, record: Any, symbol: str) -> Instrument:
        instrument_id, terms = describe(symbol, self._venue(record))
        letter = str(record.instrument_class)
        kind = _KINDS.get(letter, InstrumentKind.EQUITY)
        tick = record.min_price_increment
        increment = tick if 0 < tick < _UNDEF_PRICE else 10**7
        expiry = record.expiration if 0 < record.expiration < _UNDEF_TIME else 0
        terms.update(
            kind=kind,
            symbol=symbol,
            base=(record.asset or terms.get("base") or symbol.partition(" ")[0]).strip() or symbol,
            quote=record.currency or terms.get("quote") or "USD",
            settle=record.settl_currency or record.currency or "USD",
            expiry=expiry if kind in (InstrumentKind.FUTURE, InstrumentKind.OPTION) else 0,
            option_right=_RIGHTS.get(letter, OptionRight.NONE),
            ts_event=record.ts_event,
        )
        if letter in _RIGHTS and 0 < record.strike_price < _UNDEF_PRICE:
            terms["strike"] = _decimal(record.strike_price)
        size = _multiplier(record, kind)
        if size == 1 and kind in (InstrumentKind.FUTURE, InstrumentKind.OPTION):
            self.job.report.note(f"{instrument_id}: the definition has no contract size, 1 is assumed")
        for multiplier in (size, 1):
            try:
                return Instrument(
                    instrument_id, tick_size=str(_decimal(increment)), lot_size="1", multiplier=multiplier, **terms
                )
            except (NumberError, ConfigurationError):
                self.job.report.note(f"{instrument_id}: multiplier {multiplier} cannot be held exactly")
        raise ConfigurationError(f"the definition of {symbol!r} makes no instrument")


def describe(symbol: str, venue: str) -> tuple[str, dict[str, Any]]:
    """Instrument id of a raw symbol, and what the symbol itself says: US options carry their terms in it."""
    option = _OSI.match(symbol)
    if option:
        root, day, right, strike = option.groups()
        price = Decimal(strike).scaleb(-3).normalize()
        expiry = (date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])).toordinal() - _EPOCH) * _DAY
        return f"{root}-USD-{day}-{price:f}-{right}.{venue}", {
            "kind": InstrumentKind.OPTION,
            "symbol": symbol,
            "base": root,
            "quote": "USD",
            "strike": price,
            "expiry": expiry,
            "option_right": _RIGHTS[right],
        }
    name = re.sub(r"[\s/\\]+", "_", symbol.strip()) or "?"
    return f"{name}.{venue}", {
        "symbol": symbol,
        "kind": InstrumentKind.EQUITY if venue != "CME" else InstrumentKind.FUTURE,
    }


def _multiplier(record: Any, kind: InstrumentKind) -> Decimal | int:
    """Value of a whole point: by the value of a tick, else the contract's quantity; a listed US option is for 100.

    The value of a tick has been through the display factor once, as prices have, though it is money
    (ES: tick 0.25, 0.125, factor 0.01: 12.5 USD a tick, 50 a point).
    """
    tick, value, factor = record.min_price_increment, record.min_price_increment_amount, record.display_factor
    if all(0 < number < _UNDEF_PRICE for number in (tick, value, factor)):
        whole, rest = divmod(value * 10**18, tick * factor)
        if not rest:
            return _decimal(whole)
    if 0 < record.unit_of_measure_qty < _UNDEF_PRICE and kind is not InstrumentKind.EQUITY:
        return _decimal(record.unit_of_measure_qty)
    if 0 < record.contract_multiplier < _UNDEF_INT:
        return int(record.contract_multiplier)
    return 100 if _OSI.match(record.raw_symbol) else 1


def _decimal(fixed: int) -> Decimal:
    return Decimal(fixed).scaleb(-9).normalize() + 0


def _terms(instrument: Instrument) -> dict[str, Any]:
    fields = instrument.to_dict()
    del fields["version"], fields["ts_event"]
    return fields


def _prices(record: Any) -> list[int]:
    found = [getattr(record, name) for name in _PRICES if hasattr(record, name)]
    levels = getattr(record, "levels", ())
    for level in levels if isinstance(levels, list) else (levels,) if levels else ():
        found += (level.bid_px, level.ask_px)
    return found


def _power(exponent: int) -> int:
    return int(10 ** max(exponent, 0))


def _midnight(day: date) -> int:
    return (day.toordinal() - _EPOCH) * _DAY
