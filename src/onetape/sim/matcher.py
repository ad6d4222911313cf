"""Our orders at one simulated market, and what the other side does to them.

It knows a book, the last price, and what we took; whoever feeds it (recorded columns, live events) says what
changed. Liquidity that we took stays taken until the venue shows new size there. ``docs/modules/sim.md`` has the rules.
"""

from __future__ import annotations

from onetape.kernel.clock import NEVER
from onetape.marketdata.book import Book, BookSide
from onetape.model.enums import ExecType, FillReason, Liquidity, TimeInForce
from onetape.model.instrument import Instrument
from onetape.model.numbers import NO_PRICE
from onetape.model.orders import Order
from onetape.sim.taken import Taken
from onetape.sim.venue import VenueReports
from onetape.sim.working import NEVER_EXPIRES, UNSEEN, WorkingOrder

_NEVER = NEVER
_NO_PRICE = NO_PRICE
_UNSEEN = UNSEEN
_NEVER_EXPIRES = NEVER_EXPIRES
_IOC = int(TimeInForce.IOC)
_FOK = int(TimeInForce.FOK)
_MAKER = int(Liquidity.MAKER)
_TAKER = int(Liquidity.TAKER)
_NEW = int(ExecType.NEW)
_CANCELED = int(ExecType.CANCELED)
_REJECTED = int(ExecType.REJECTED)
_EXPIRED = int(ExecType.EXPIRED)
_TRIGGERED = int(ExecType.TRIGGERED)
_CANCEL_REJECTED = int(ExecType.CANCEL_REJECTED)
_REPLACE_REJECTED = int(ExecType.REPLACE_REJECTED)
_CROSSED_SPREAD = int(FillReason.CROSSED_SPREAD)
_QUEUE_EXHAUSTED = int(FillReason.QUEUE_EXHAUSTED)
_TRADED_THROUGH = int(FillReason.TRADED_THROUGH)
_BOOK_CROSSED = int(FillReason.BOOK_CROSSED)
_LAST_TRADE = int(FillReason.LAST_TRADE)


class Matcher:
    """``buys`` and ``sells`` are in the order of priority.

    ``depth``: best prices or a book are known, and ``deep`` if it is a whole book; ``trading``: trades are;
    ``path``: prices move along bars.
    """

    __slots__ = (
        "_deep",
        "_depth",
        "_next_expiry",
        "_orders",
        "_path",
        "_print_raw",
        "_print_reason",
        "_reports",
        "_taken_asks",
        "_taken_bids",
        "_trading",
        "_volume_left",
        "book",
        "buys",
        "instrument",
        "now",
        "position_raw",
        "sells",
        "stops",
    )

    instrument: Instrument
    book: Book
    buys: list[WorkingOrder]
    sells: list[WorkingOrder]
    stops: list[WorkingOrder]
    now: int
    position_raw: int
    _orders: dict[Order, WorkingOrder]
    _reports: VenueReports
    _depth: bool
    _deep: bool
    _trading: bool
    _path: bool
    _taken_bids: Taken
    _taken_asks: Taken
    _print_raw: int
    _print_reason: int
    _volume_left: int
    _next_expiry: int

    def __init__(
        self, instrument: Instrument, reports: VenueReports, *, depth: bool, deep: bool, trading: bool, path: bool
    ) -> None:
        self.instrument = instrument
        self.book = Book(instrument)
        self.buys = []
        self.sells = []
        self.stops = []
        self.now = 0
        self.position_raw = 0
        self._orders = {}
        self._reports = reports
        self._depth = depth
        self._deep = deep
        self._trading = trading
        self._path = path
        self._taken_bids = Taken()
        self._taken_asks = Taken()
        self._print_raw = _NO_PRICE
        self._print_reason = _LAST_TRADE
        self._volume_left = _NEVER
        self._next_expiry = _NEVER_EXPIRES

    def idle(self) -> bool:
        """No order of ours is here."""
        return len(self._orders) == 0

    def reach(self, now: int) -> None:
        """The venue's time is ``now``; all that happened up to it has been run."""
        if now > self.now:
            self.now = now

    def _resized(self, orders: list[WorkingOrder], taken: Taken, price_raw: int, size_raw: int) -> None:
        """A level has a new size: nobody can stand behind more than that, nor can we have taken more."""
        if taken.any:
            taken.resized(price_raw, size_raw)
        for working in orders:
            if working.price_raw == price_raw and (working.ahead_raw > size_raw or working.ahead_raw == _UNSEEN):
                working.ahead_raw = size_raw

    def _renew(self, side: BookSide, orders: list[WorkingOrder], taken: Taken) -> None:
        """After a snapshot: levels that it could show and doesn't are empty."""
        if taken.any:
            taken.renewed(side)
        for working in orders:
            if not working.taker and side.shows(working.price_raw):
                size_raw = side.size_at(working.price_raw)
                if working.ahead_raw > size_raw or working.ahead_raw == _UNSEEN:
                    working.ahead_raw = size_raw

    def _book_changed(self) -> None:
        """After a whole update: orders that the other side reaches, then stops. A crossed book is not believed."""
        book = self.book
        if self._crossed():
            return
        if self.buys and book.asks.count > 0:
            self._cross(self.buys, book.asks.best_price())
        if self.sells and book.bids.count > 0:
            self._cross(self.sells, book.bids.best_price())
        if self.stops and not self._trading and book.bids.count > 0 and book.asks.count > 0:
            self._check_stops(book.asks.best_price(), book.bids.best_price(), False)

    def _crossed(self) -> bool:
        """A level-2 book whose sides overlap is wrong; best quotes may well be locked for a while."""
        return self._deep and self.book.overlaps()

    def _cross(self, orders: list[WorkingOrder], best_raw: int) -> None:
        while orders:
            working: WorkingOrder = orders[0]
            if not working.taker and (working.price_raw - best_raw) * working.sign < 0:
                return
            self._take(working)
            if working.leaves_raw > 0:
                return  # nothing is left at its price, so nothing for those behind it
            del orders[0]

    def _take_waiting(self, orders: list[WorkingOrder]) -> None:
        """Market orders from before the first price."""
        while orders:
            working: WorkingOrder = orders[0]
            if not working.taker:
                return
            self._take(working)
            del orders[0]

    def _trade_at(self, orders: list[WorkingOrder], price_raw: int, size_raw: int, used: int) -> int:
        """Somebody traded ``size_raw``: share it among our orders there or better; returns what they used."""
        i = 0
        while i < len(orders):
            working: WorkingOrder = orders[i]
            if not working.taker:
                better = (working.price_raw - price_raw) * working.sign
                if better < 0:
                    break
                free = size_raw - used
                reason = _TRADED_THROUGH
                if better == 0:
                    reason = _QUEUE_EXHAUSTED
                    if working.ahead_raw == _UNSEEN:
                        self._queue(working)
                    if working.ahead_raw == _UNSEEN:
                        free = 0
                    else:
                        free -= working.ahead_raw
                        working.ahead_raw = -free if free < 0 else 0
                else:
                    working.ahead_raw = 0
                if free > working.leaves_raw:
                    free = working.leaves_raw
                if free > 0:
                    used += self._fill(working, free, working.price_raw, _MAKER, reason, price_raw)
            if working.leaves_raw == 0:
                del orders[i]
            else:
                i += 1
        return used

    def _path_to(self, orders: list[WorkingOrder], price_raw: int) -> None:
        """The price has moved to ``price_raw``: limit orders that it passed are filled at their own price."""
        i = 0
        while i < len(orders):
            working: WorkingOrder = orders[i]
            if working.taker:
                self._take(working)
            else:
                if (working.price_raw - price_raw) * working.sign <= 0:
                    return
                free = working.leaves_raw if working.leaves_raw < self._volume_left else self._volume_left
                if free > 0:
                    free = self._fill(working, free, working.price_raw, _MAKER, self._print_reason, price_raw)
                    self._spend_volume(free)
            if working.leaves_raw == 0:
                del orders[i]
            else:
                i += 1

    def _spend_volume(self, qty_raw: int) -> None:
        if self._volume_left != _NEVER:
            self._volume_left -= qty_raw

    def submit(self, order: Order) -> None:
        working = WorkingOrder.__new__(WorkingOrder)
        working.begin(order, self.now)
        if working.expiry <= self.now:
            self._reports.tell(order, _REJECTED, "the expire time has passed", self.now)
            return
        if order.reduce_only:
            open_raw = -self.position_raw * order.sign
            if open_raw <= 0:
                self._reports.tell(order, _REJECTED, "reduce-only: there is no position to reduce", self.now)
                return
        if order.post_only and self._marketable(working):
            self._reports.tell(order, _REJECTED, "post-only: the order would take liquidity", self.now)
            return
        self._reports.tell(order, _NEW, "", self.now)
        self._orders[order] = working
        if working.expiry < self._next_expiry:
            self._next_expiry = working.expiry
        if working.waits:
            self.stops.append(working)
            reference_buy, reference_sell = self._references()
            if reference_buy != _NO_PRICE:
                self._check_stops(reference_buy, reference_sell, False)
        else:
            self._enter(working)

    def _references(self) -> tuple[int, int]:
        """The prices that buy and sell stops watch: the last trade, else the best ask and bid."""
        if self._trading or self._path:
            return self._print_raw, self._print_raw
        if self.book.bids.count > 0 and self.book.asks.count > 0:
            return self.book.asks.best_price(), self.book.bids.best_price()
        return _NO_PRICE, _NO_PRICE

    def _marketable(self, working: WorkingOrder) -> bool:
        best_raw = self._print_raw
        if self._depth:
            side = self.book.asks if working.sign > 0 else self.book.bids
            if side.count == 0:
                return False
            best_raw = side.best_price()
        if best_raw == _NO_PRICE:
            return False
        return working.taker or (working.price_raw - best_raw) * working.sign >= 0

    def _enter(self, working: WorkingOrder) -> None:
        """Take what can be taken at once; what is left rests, or is canceled as the time in force says."""
        order = working.order
        if order.tif_code == _FOK and self._available(working) < working.leaves_raw:
            self._end(working, _CANCELED, "fill-or-kill: not enough liquidity at once")
            return
        if self._marketable(working):
            self._take(working)
        if working.leaves_raw == 0:
            return
        if order.tif_code == _IOC or order.tif_code == _FOK:
            self._end(working, _CANCELED, "immediate-or-cancel: nothing more to take")
            return
        if not working.taker:
            self._queue(working)
        orders = self.buys if working.sign > 0 else self.sells
        at = len(orders)
        while at > 0:
            before: WorkingOrder = orders[at - 1]
            if before.taker or (not working.taker and (before.price_raw - working.price_raw) * working.sign >= 0):
                break
            at -= 1
        orders.insert(at, working)
        working.resting = True

    def _queue(self, working: WorkingOrder) -> None:
        """Join the queue behind the size shown at our price."""
        if not self._depth:
            working.ahead_raw = _UNSEEN
            return
        side = self.book.bids if working.sign > 0 else self.book.asks
        working.ahead_raw = side.size_at(working.price_raw) if side.shows(working.price_raw) else _UNSEEN

    def _available(self, working: WorkingOrder) -> int:
        """Size that could be taken now at the order's price."""
        if not self._depth:
            if not self._marketable(working):
                return 0
            return self._volume_left if self._path else _NEVER
        if self._crossed():
            return 0
        side = self.book.asks if working.sign > 0 else self.book.bids
        taken = self._taken_asks if working.sign > 0 else self._taken_bids
        total = 0
        for rank in range(side.count):
            price_raw = side.price_of(rank)
            if not working.taker and (working.price_raw - price_raw) * working.sign < 0:
                break
            total += side.size_of(rank) - taken.at(price_raw)
            if total >= working.leaves_raw:
                break
        return total

    def _take(self, working: WorkingOrder) -> None:
        """Trade against what the other side shows, level by level. A resting order that is reached is a maker."""
        if not self._depth:
            free = working.leaves_raw
            if self._path and self._volume_left < free:
                free = self._volume_left
            if free > 0 and self._print_raw != _NO_PRICE:
                free = self._fill(working, free, self._print_raw, _TAKER, self._print_reason, self._print_raw)
                self._spend_volume(free)
            return
        if self._crossed():
            return
        buying = working.sign > 0
        side = self.book.asks if buying else self.book.bids
        taken = self._taken_asks if buying else self._taken_bids
        rank = 0
        while working.leaves_raw > 0 and rank < side.count:
            price_raw = side.price_of(rank)
            if not working.taker and (working.price_raw - price_raw) * working.sign < 0:
                break
            free = side.size_of(rank) - taken.at(price_raw)
            if free > working.leaves_raw:
                free = working.leaves_raw
            if free > 0:
                if working.resting and not working.taker:
                    free = self._fill(working, free, working.price_raw, _MAKER, _BOOK_CROSSED, price_raw)
                else:
                    free = self._fill(working, free, price_raw, _TAKER, _CROSSED_SPREAD, price_raw)
                taken.add(price_raw, free)
            rank += 1

    def _fill(
        self, working: WorkingOrder, qty_raw: int, price_raw: int, liquidity: int, reason: int, reason_raw: int
    ) -> int:
        """Fill, and return how much: a reduce-only order takes no more than the position."""
        order = working.order
        if order.reduce_only:
            open_raw = -self.position_raw * working.sign
            if qty_raw >= open_raw:
                qty_raw = open_raw if open_raw > 0 else 0
                if qty_raw > 0:
                    self._book_fill(working, qty_raw, price_raw, liquidity, reason, reason_raw)
                if working.leaves_raw > 0:
                    working.leaves_raw = 0
                    self._end(working, _CANCELED, "reduce-only: the position is closed")
                return qty_raw
        self._book_fill(working, qty_raw, price_raw, liquidity, reason, reason_raw)
        return qty_raw

    def _book_fill(
        self, working: WorkingOrder, qty_raw: int, price_raw: int, liquidity: int, reason: int, reason_raw: int
    ) -> None:
        working.leaves_raw -= qty_raw
        self.position_raw += working.sign * qty_raw
        if working.leaves_raw == 0:
            del self._orders[working.order]
        self._reports.fill(working.order, qty_raw, price_raw, liquidity, reason, reason_raw, self.now)

    def _check_stops(self, reference_buy: int, reference_sell: int, path: bool) -> None:
        """Trigger stops that the reference price has reached. On a bar's path they trade at the stop price."""
        i = 0
        while i < len(self.stops):
            working: WorkingOrder = self.stops[i]
            reference_raw = reference_buy if working.sign > 0 else reference_sell
            if working.order.trail_raw > 0:
                working.follow(reference_raw)
            if (reference_raw - working.stop_px_raw) * working.sign < 0:
                i += 1
                continue
            del self.stops[i]
            working.waits = False
            self._reports.tell(working.order, _TRIGGERED, "", self.now)
            if path:
                self._print_raw = working.stop_px_raw
            self._enter(working)
            if path:
                self._print_raw = reference_raw

    def cancel(self, order: Order) -> None:
        working = self._orders.get(order)
        if working is None:
            self._reports.tell(order, _CANCEL_REJECTED, "the venue has no such order, or it has ended", self.now)
            return
        self._remove(working)
        self._end(working, _CANCELED, "")

    def replace(self, order: Order, order_qty_raw: int, price_raw: int) -> None:
        """A smaller size at the same price keeps its place in the queue; any other change loses it."""
        working = self._orders.get(order)
        if working is None:
            self._reports.tell(order, _REPLACE_REJECTED, "the venue has no such order, or it has ended", self.now)
            return
        leaves_raw = working.leaves_raw + order_qty_raw - working.qty_raw
        if leaves_raw <= 0:
            self._reports.tell(order, _REPLACE_REJECTED, "too late: that much is filled already", self.now)
            return
        keeps = price_raw == working.price_raw and leaves_raw <= working.leaves_raw
        if order.post_only and not keeps:
            former = working.price_raw
            working.price_raw = price_raw
            crosses = self._marketable(working)
            working.price_raw = former
            if crosses:
                self._reports.tell(order, _REPLACE_REJECTED, "post-only: the order would take liquidity", self.now)
                return
        if not keeps:
            self._remove(working)
            working.resting = False
        working.qty_raw = order_qty_raw
        working.leaves_raw = leaves_raw
        working.price_raw = price_raw
        self._reports.replaced(order, order_qty_raw, price_raw, self.now)
        if not keeps:
            if working.waits:
                self.stops.append(working)
            else:
                self._enter(working)

    def _remove(self, working: WorkingOrder) -> None:
        orders = self.stops if working.waits else (self.buys if working.sign > 0 else self.sells)
        for at in range(len(orders)):
            if orders[at] is working:
                del orders[at]
                return

    def _end(self, working: WorkingOrder, exec_code: int, text: str) -> None:
        self._orders.pop(working.order, None)
        self._reports.tell(working.order, exec_code, text, self.now)

    def _expire(self) -> None:
        self._next_expiry = _NEVER_EXPIRES
        for working in list(self._orders.values()):
            if working.expiry <= self.now:
                self._remove(working)
                self._end(working, _EXPIRED, "the order's time is over")
            elif working.expiry < self._next_expiry:
                self._next_expiry = working.expiry
