"""A continuous limit order book with price-time priority, one resting order at a time, integers only.

One command in, its consequences out: each command returns a list of ``MatchReport`` in the order things happened,
and leaves in ``engine.changes`` the levels it touched, each once, with their new sizes: the rows of an L2 delta.
Refusals are reports with a ``MatchReason``, never exceptions.

Ids, owners, prices and sizes are 64-bit integers. The engine knows no time, no money and no accounts.
"""

from __future__ import annotations

from onetape.model.enums import ExecType, Side
from onetape.model.instrument import Instrument
from onetape.sim.book_side import BookSide, Level, Order
from onetape.sim.match_report import LevelChange, MatchReason, MatchReport

_BUY = 1
_SELL = 2
_IOC = 1
_FOK = 2
_LAST_TIF = 4
_STP_NEWEST = 1
_STP_OLDEST = 2
_STP_DECREMENT = 4
_LIMIT_MAX = (1 << 63) - 1

_SIDES = tuple(Side)
_NEW = ExecType.NEW
_TRADE = ExecType.TRADE
_CANCELED = ExecType.CANCELED
_REPLACED = ExecType.REPLACED
_REJECTED = ExecType.REJECTED
_CANCEL_REJECTED = ExecType.CANCEL_REJECTED
_REPLACE_REJECTED = ExecType.REPLACE_REJECTED
_NO_REASON = MatchReason.NONE


class MatchingEngine:
    """Order book of one instrument. ``changes`` are the level changes of the last command."""

    __slots__ = (
        "_command",
        "_lot",
        "_max_qty",
        "_min_qty",
        "_orders",
        "_reports",
        "_tick",
        "_touched",
        "asks",
        "bids",
        "changes",
        "instrument",
        "trade_count",
    )

    instrument: Instrument
    bids: BookSide
    asks: BookSide
    changes: list[LevelChange]
    trade_count: int

    def __init__(self, instrument: Instrument) -> None:
        self.bids = BookSide(_BUY)
        self.asks = BookSide(_SELL)
        self.changes = []
        self.trade_count = 0
        self._command = 0
        self._orders: dict[int, Order] = {}
        self._reports: list[MatchReport] = []
        self._touched: list[Level] = []
        self.update_instrument(instrument)

    def update_instrument(self, instrument: Instrument) -> None:
        """Use the grid and limits of another version from now on; resting orders stay as they are."""
        self.instrument = instrument
        self._tick = instrument.tick_raw
        self._lot = instrument.lot_raw
        self._min_qty = instrument.min_qty_raw
        self._max_qty = instrument.max_qty_raw

    # Commands

    def limit(
        self,
        order_id: int,
        side: int,
        price_raw: int,
        size_raw: int,
        tif: int = 0,
        owner: int = 0,
        post_only: bool = False,
        stp: int = 0,
    ) -> list[MatchReport]:
        """Match up to ``price_raw``; what is left rests (GTC, GTD, DAY) or is canceled (IOC, FOK).

        An id must be unique among open orders. A ``post_only`` order that would take is refused. Expiry of GTD and
        DAY is the caller's ``cancel``.
        """
        self._begin()
        reason = self._refusal(order_id, side, size_raw, tif, stp)
        if reason is _NO_REASON:
            reason = self._price_refusal(side, price_raw, post_only)
        if reason is _NO_REASON and post_only and tif in (_IOC, _FOK):
            reason = MatchReason.UNSUPPORTED
        if reason is not _NO_REASON:
            self._report(_REJECTED, order_id, owner, side, price_raw, size_raw, 0, reason)
            return self._reports
        order = self._order(order_id, owner, side, price_raw, size_raw, post_only, stp)
        self._report(_NEW, order_id, owner, side, price_raw, size_raw, size_raw, _NO_REASON)
        self._execute(order, price_raw, tif)
        return self._finish()

    def market(
        self, order_id: int, side: int, size_raw: int, tif: int = 1, owner: int = 0, stp: int = 0
    ) -> list[MatchReport]:
        """Match at any price; what the book cannot fill is canceled (``FOK``: all or nothing). Never rests."""
        self._begin()
        reason = self._refusal(order_id, side, size_raw, tif, stp)
        if reason is not _NO_REASON:
            self._report(_REJECTED, order_id, owner, side, 0, size_raw, 0, reason)
            return self._reports
        order = self._order(order_id, owner, side, 0, size_raw, False, stp)
        self._report(_NEW, order_id, owner, side, 0, size_raw, size_raw, _NO_REASON)
        self._execute(order, 0, _FOK if tif == _FOK else _IOC)
        return self._finish()

    def cancel(self, order_id: int) -> list[MatchReport]:
        self._begin()
        order = self._orders.get(order_id)
        if order is None:
            self._report(_CANCEL_REJECTED, order_id, 0, 0, 0, 0, 0, MatchReason.UNKNOWN_ORDER)
            return self._reports
        self._cancel_order(order, _NO_REASON)
        self._side(order.side).drop_empty(order.level)
        return self._finish()

    def reduce(self, order_id: int, size_raw: int) -> list[MatchReport]:
        """Take ``size_raw`` off what is open, keeping priority; taking all of it cancels the order."""
        self._begin()
        order = self._orders.get(order_id)
        reason = MatchReason.UNKNOWN_ORDER
        if order is not None:
            reason = _NO_REASON
            if size_raw <= 0 or size_raw > order.remaining_raw:
                reason = MatchReason.BAD_SIZE
            elif self._lot != 1 and size_raw % self._lot:
                reason = MatchReason.OFF_LOT
        if order is None or reason is not _NO_REASON:
            self._report(_REPLACE_REJECTED, order_id, 0, 0, 0, size_raw, 0, reason)
        elif size_raw == order.remaining_raw:
            self._cancel_order(order, _NO_REASON)
            self._side(order.side).drop_empty(order.level)
        else:
            self._shrink(order, size_raw, _NO_REASON)
        return self._finish()

    def replace(self, order_id: int, price_raw: int, size_raw: int) -> list[MatchReport]:
        """Give an order a new price and a new total size (FIX OrderQty: what was filled counts towards it).

        The same price and no larger size keep the place in the queue; anything else goes to the end of the new
        level's, and takes first if it now crosses. A refused replace leaves the order as it was.
        """
        self._begin()
        order = self._orders.get(order_id)
        if order is None:
            self._report(_REPLACE_REJECTED, order_id, 0, 0, price_raw, size_raw, 0, MatchReason.UNKNOWN_ORDER)
            return self._reports
        side = order.side
        total = order.filled_raw + order.remaining_raw
        reason = self._size_refusal(size_raw)
        if reason is _NO_REASON and price_raw != order.price_raw:
            reason = self._price_refusal(side, price_raw, order.post_only)
        if reason is _NO_REASON and size_raw <= order.filled_raw:
            reason = MatchReason.BELOW_FILLED
        if reason is _NO_REASON and size_raw > total and self._overflows(side, size_raw - total):
            reason = MatchReason.BAD_SIZE
        if reason is not _NO_REASON:
            self._report(
                _REPLACE_REJECTED, order_id, order.owner, side, price_raw, size_raw, order.remaining_raw, reason
            )
            return self._reports
        if price_raw == order.price_raw and size_raw <= total:
            if size_raw == total:
                self._report(_REPLACED, order_id, order.owner, side, price_raw, total, order.remaining_raw, reason)
            else:
                self._shrink(order, total - size_raw, reason)
            return self._finish()
        level = order.level
        self._detach(order)
        order.remaining_raw = size_raw - order.filled_raw
        self._report(_REPLACED, order_id, order.owner, side, price_raw, size_raw, order.remaining_raw, reason)
        if price_raw == order.price_raw:
            self._attach(order, level)
        else:
            self._side(side).drop_empty(level)
            order.price_raw = price_raw
            self._execute(order, price_raw, 0)
        return self._finish()

    # Queries

    def order(self, order_id: int) -> Order | None:
        """The open order of that id."""
        return self._orders.get(order_id)

    @property
    def order_ids(self) -> list[int]:
        """Ids of the open orders."""
        return list(self._orders)

    @property
    def best_bid_raw(self) -> int:
        """0 when there is none, as are the other three."""
        best = self.bids.best()
        return 0 if best is None else best.price_raw

    @property
    def best_ask_raw(self) -> int:
        best = self.asks.best()
        return 0 if best is None else best.price_raw

    @property
    def best_bid_size_raw(self) -> int:
        best = self.bids.best()
        return 0 if best is None else best.size_raw

    @property
    def best_ask_size_raw(self) -> int:
        best = self.asks.best()
        return 0 if best is None else best.size_raw

    def levels(self, side: int, depth: int = 0) -> list[tuple[int, int]]:
        """(price, size) of a side, best first; of the first ``depth`` levels if not 0."""
        book = self._side(side)
        place = book.level_count()
        last = place - depth if 0 < depth < place else 0
        found: list[tuple[int, int]] = []
        while place > last:
            place -= 1
            level = book.level_at(place)
            found.append((level.price_raw, level.size_raw))
        return found

    def queue(self, side: int, price_raw: int) -> list[Order]:
        """The orders at a price, the next to be filled first."""
        level = self._side(side).find(price_raw)
        found: list[Order] = []
        order = None if level is None else level.head
        while order is not None:
            found.append(order)
            order = order.next
        return found

    # Checks

    def _refusal(self, order_id: int, side: int, size_raw: int, tif: int, stp: int) -> MatchReason:
        if order_id in self._orders:
            return MatchReason.DUPLICATE_ID
        if side != _BUY and side != _SELL:
            return MatchReason.BAD_SIDE
        if tif < 0 or tif > _LAST_TIF or stp < 0 or stp > _STP_DECREMENT:
            return MatchReason.UNSUPPORTED
        reason = self._size_refusal(size_raw)
        if reason is _NO_REASON and self._overflows(side, size_raw):
            return MatchReason.BAD_SIZE
        return reason

    def _size_refusal(self, size_raw: int) -> MatchReason:
        if size_raw <= 0:
            return MatchReason.BAD_SIZE
        if self._lot != 1 and size_raw % self._lot:
            return MatchReason.OFF_LOT
        if size_raw < self._min_qty:
            return MatchReason.BELOW_MIN_QTY
        if self._max_qty and size_raw > self._max_qty:
            return MatchReason.ABOVE_MAX_QTY
        return _NO_REASON

    def _price_refusal(self, side: int, price_raw: int, post_only: bool) -> MatchReason:
        if price_raw <= 0:
            return MatchReason.BAD_PRICE
        if self._tick != 1 and price_raw % self._tick:
            return MatchReason.OFF_TICK
        if post_only:
            other = self.asks if side == _BUY else self.bids
            best = other.best()
            if best is not None and best.key >= other.key(price_raw):
                return MatchReason.POST_ONLY
        return _NO_REASON

    def _overflows(self, side: int, size_raw: int) -> bool:
        """A side's total must stay within 64 bits."""
        return size_raw > _LIMIT_MAX - self._side(side).total_raw

    # Matching

    def _execute(self, order: Order, price_raw: int, tif: int) -> None:
        """Take from the other side up to a price (0: any), then rest or cancel the remainder."""
        other = self.asks if order.side == _BUY else self.bids
        bound = other.key(price_raw) if price_raw else -_LIMIT_MAX
        if tif == _FOK and not self._fillable(order, other, bound):
            self._close(order, MatchReason.FILL_OR_KILL)
            return
        while order.remaining_raw:
            level = other.best()
            if level is None or level.key < bound:
                break
            self._touch(level)
            stopped = self._take(order, level)
            other.drop_empty(level)
            if stopped:
                return
        if order.remaining_raw == 0:
            return
        if tif in (_IOC, _FOK):
            self._close(order, MatchReason.IMMEDIATE_OR_CANCEL if price_raw else MatchReason.NO_LIQUIDITY)
        else:
            self._attach(order, self._side(order.side).open_level(order.price_raw))

    def _take(self, taker: Order, level: Level) -> bool:
        """Trade with the orders of a level in turn; true if self-trade prevention ended the taker."""
        maker = level.head
        while maker is not None and taker.remaining_raw:
            following = maker.next
            if taker.stp != 0 and taker.owner != 0 and taker.owner == maker.owner:
                if self._prevent(taker, maker):
                    return True
            else:
                self._trade(taker, maker)
            maker = following
        return False

    def _trade(self, taker: Order, maker: Order) -> None:
        size = taker.remaining_raw if taker.remaining_raw < maker.remaining_raw else maker.remaining_raw
        taker.remaining_raw -= size
        taker.filled_raw += size
        maker.filled_raw += size
        self._side(maker.side).shrink(maker, size)
        if maker.remaining_raw == 0:
            self._detach(maker)
        self.trade_count += 1
        report = self._report(
            _TRADE,
            taker.order_id,
            taker.owner,
            taker.side,
            maker.price_raw,
            size,
            taker.remaining_raw,
            _NO_REASON,
        )
        report.maker_id = maker.order_id
        report.maker_owner = maker.owner
        report.maker_remaining_raw = maker.remaining_raw
        report.trade_number = self.trade_count

    def _prevent(self, taker: Order, maker: Order) -> bool:
        reason = MatchReason.SELF_TRADE
        if taker.stp == _STP_DECREMENT:
            taken, rested = taker.remaining_raw, maker.remaining_raw
            if rested <= taken:
                self._cancel_order(maker, reason)
            else:
                self._shrink(maker, taken, reason)
            if taken <= rested:
                self._close(taker, reason)
                return True
            taker.remaining_raw = taken - rested
            total = taker.filled_raw + taker.remaining_raw
            self._report(
                _REPLACED,
                taker.order_id,
                taker.owner,
                taker.side,
                taker.price_raw,
                total,
                taker.remaining_raw,
                reason,
            )
            return False
        if taker.stp != _STP_NEWEST:
            self._cancel_order(maker, reason)
        if taker.stp != _STP_OLDEST:
            self._close(taker, reason)
            return True
        return False

    def _fillable(self, taker: Order, other: BookSide, bound: int) -> bool:
        """Whether a taker can trade its whole size; its own owner's orders are passed over or end it."""
        left = taker.remaining_raw
        watched = taker.stp != 0 and taker.owner != 0
        place = other.level_count()
        while place > 0:
            place -= 1
            level = other.level_at(place)
            if level.key < bound:
                return False
            if not watched:
                left -= level.size_raw
                if left <= 0:
                    return True
                continue
            maker = level.head
            while maker is not None:
                if maker.owner != taker.owner:
                    left -= maker.remaining_raw
                    if left <= 0:
                        return True
                elif taker.stp != _STP_OLDEST:
                    return False
                maker = maker.next
        return False

    # The book

    def _attach(self, order: Order, level: Level) -> None:
        self._touch(level)
        self._side(order.side).attach(order, level)
        self._orders[order.order_id] = order

    def _detach(self, order: Order) -> None:
        self._touch(order.level)
        self._side(order.side).detach(order)
        del self._orders[order.order_id]

    def _cancel_order(self, order: Order, reason: MatchReason) -> None:
        self._detach(order)
        self._close(order, reason)

    def _close(self, order: Order, reason: MatchReason) -> None:
        """Report an order that is not in the book as canceled."""
        size = order.remaining_raw
        order.remaining_raw = 0
        self._report(_CANCELED, order.order_id, order.owner, order.side, order.price_raw, size, 0, reason)

    def _shrink(self, order: Order, size_raw: int, reason: MatchReason) -> None:
        """Make a resting order smaller in its place."""
        self._touch(order.level)
        self._side(order.side).shrink(order, size_raw)
        total = order.filled_raw + order.remaining_raw
        self._report(
            _REPLACED, order.order_id, order.owner, order.side, order.price_raw, total, order.remaining_raw, reason
        )

    def _side(self, side: int) -> BookSide:
        return self.bids if side == _BUY else self.asks

    # Output

    def _begin(self) -> None:
        self._command += 1
        self._reports = []
        self._touched = []
        self.changes = []

    def _touch(self, level: Level) -> None:
        if level.command != self._command:
            level.command = self._command
            self._touched.append(level)

    def _finish(self) -> list[MatchReport]:
        for level in self._touched:
            change = LevelChange.__new__(LevelChange)
            change.side = level.side
            change.price_raw = level.price_raw
            change.size_raw = level.size_raw
            self.changes.append(change)
        return self._reports

    def _order(
        self, order_id: int, owner: int, side: int, price_raw: int, size_raw: int, post_only: bool, stp: int
    ) -> Order:
        order = Order.__new__(Order)
        order.order_id = order_id
        order.owner = owner
        order.side = side
        order.price_raw = price_raw
        order.remaining_raw = size_raw
        order.filled_raw = 0
        order.post_only = post_only
        order.stp = stp
        order.previous = None
        order.next = None
        return order

    def _report(
        self,
        exec_type: ExecType,
        order_id: int,
        owner: int,
        side: int,
        price_raw: int,
        size_raw: int,
        remaining_raw: int,
        reason: MatchReason,
    ) -> MatchReport:
        report = MatchReport.__new__(MatchReport)
        report.exec_type = exec_type
        report.reason = reason
        report.order_id = order_id
        report.owner = owner
        report.side = side
        report.price_raw = price_raw
        report.size_raw = size_raw
        report.remaining_raw = remaining_raw
        report.maker_id = 0
        report.maker_owner = 0
        report.maker_remaining_raw = 0
        report.trade_number = 0
        self._reports.append(report)
        return report
