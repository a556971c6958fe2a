"""The channels: a title and a text to one address, by e-mail, Slack, Teams or webhook.

Belongs here: speaking to apprise. Does not belong here: when to send, and to whom (`delivery.py`).

An address is apprise's URL, from the environment: mailtos://user:password@smtp.example.com?to=…,
slack://tokenA/tokenB/tokenC, workflows://…, jsons://host/path. It is a secret: it never stands in a file, a message or
a log, and neither does what apprise logs of it.
"""

from __future__ import annotations

import logging
import re
from typing import Final

SCHEMES: Final = {
    "email": ("mailto", "mailtos"),
    "slack": ("slack",),
    "teams": ("workflows", "workflow"),
    "webhook": ("json", "jsons"),
}


def notify(channel: str, address: str, title: str, text: str) -> str | None:
    """Send one message. None when the channel took it, else what went wrong, without the address.

    Never raises for a channel that is down, slow (apprise waits 4 s to connect, 4 s to read) or does not exist.
    """
    import apprise

    scheme = address.partition("://")[0].lower()
    if scheme not in SCHEMES[channel]:
        return f"the address is not one of {channel}: it must begin with {'://, '.join(SCHEMES[channel])}://"
    logger = logging.getLogger("apprise")
    # An address that it cannot read goes into its log whole.
    logger.propagate = False
    with apprise.LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
        service = apprise.Apprise()
        if not service.add(address):
            return f"the address is not a complete one of {scheme}://"
        if service.notify(title=title, body=text, body_format=apprise.NotifyFormat.MARKDOWN):
            return None
        answer = re.search(r"error=(\d{3})", log.getvalue())
    return f"the channel refused the message (HTTP {answer[1]})" if answer else "the channel could not be reached"
