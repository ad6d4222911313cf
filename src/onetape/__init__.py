"""Record live markets, trade them, replay them: one tape, one code path."""

from __future__ import annotations

import os

from onetape._version import __version__

if os.environ.get("ONETAPE_PURE") == "1":
    from onetape import _pure

    _pure.install()

__all__ = ["__version__"]
