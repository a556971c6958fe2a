"""`leadscore …` as a process whose clock is wrong. A script: test_clock.py starts it.

    at_clock.py 2024-02-01T09:00 COMMAND…    the command, begun at that time (UTC) by this process's clock

The product reads its clock in one place, and that is what is changed here; it has no such switch of its own.
"""

from __future__ import annotations

import datetime as dt
import sys

from leadscore_v6 import cli
from leadscore_v6.gates import bench


def main() -> None:
    """Set the clock, and become the command."""
    time, *command = sys.argv[1:]
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - how wrong the clock is to be
    shift = dt.datetime.fromisoformat(time).replace(tzinfo=dt.UTC) - now
    honest = bench.wall_clock

    class Wrong(dt.datetime):
        """A clock that is off by as much."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            """Now, by it."""
            return dt.datetime.now(tz) + shift  # noqa: TID251 - as above

    vars(bench)["datetime"] = Wrong
    assert abs(honest() - now - shift) < dt.timedelta(minutes=1), "whoever has the function has this clock"
    sys.argv = ["leadscore", *command]
    cli.main()


if __name__ == "__main__":
    main()
