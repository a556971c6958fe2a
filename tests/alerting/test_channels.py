"""Channels over real sockets; what does not get through never raises, and never tells the address."""

from __future__ import annotations

import email
import email.policy
import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from leadscore_v6.alerting.channels import SCHEMES, notify
from tests.alerting import servers

SECRET = "hunter2secret"
TEXT = "No feature may.\n\n- max_psi: 0.31"


@pytest.fixture
def overheard(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What reaches a program's log, stdout and stderr. caplog listens at loggers that do not propagate, too."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    yield lambda: heard.getvalue() + "".join(capfd.readouterr())
    logging.getLogger().removeHandler(handler)


def test_a_webhook_gets_title_and_text() -> None:
    with servers.webhook() as arrived:
        assert notify("webhook", f"json://127.0.0.1:{arrived.port}/alerts", "[warning] Drift", TEXT) is None
    (body,) = arrived.bodies
    message = json.loads(body)
    assert (message["title"], message["message"].splitlines()[-1]) == ("[warning] Drift", "- max_psi: 0.31")


def test_a_mail_gets_subject_and_text() -> None:
    with servers.mail() as arrived:
        address = f"mailto://127.0.0.1:{arrived.port}?from=leadscore@example.com&to=ops@example.com&mode=insecure"
        assert notify("email", address, "[warning] Drift", TEXT) is None
    (body,) = arrived.bodies
    message = email.message_from_string(body, policy=email.policy.default)
    assert message["Subject"] == "[warning] Drift"
    assert message["To"] == "ops@example.com"
    text = message.get_body(("plain", "html"))
    assert text is not None
    assert "max_psi: 0.31" in text.get_content()


def test_a_channel_that_refuses_is_said_with_its_answer(overheard: Callable[[], str]) -> None:
    with servers.webhook() as arrived:
        arrived.status = 403
        trouble = notify("webhook", f"json://user:{SECRET}@127.0.0.1:{arrived.port}/{SECRET}", "t", TEXT)
    assert trouble == "the channel refused the message (HTTP 403)"
    assert SECRET not in overheard()


def test_a_channel_that_is_down_is_said(overheard: Callable[[], str]) -> None:
    with servers.webhook() as arrived:
        port = arrived.port
    for channel, scheme in (("webhook", "json"), ("email", "mailto")):
        address = f"{scheme}://user:{SECRET}@127.0.0.1:{port}?from=a@example.com&to=b@example.com"
        assert notify(channel, address, "t", TEXT) == "the channel could not be reached"
    assert SECRET not in overheard()


@pytest.mark.parametrize(
    ("channel", "address", "says"),
    [
        ("email", f"jsons://{SECRET}", "must begin with mailto://, mailtos://"),
        ("slack", f"slack://{SECRET}", "not a complete one of slack://"),
        ("webhook", SECRET, "must begin with json://, jsons://"),
        ("teams", "", "must begin with workflows://"),
    ],
)
def test_an_address_that_is_none_is_said_and_not_told(
    channel: str, address: str, says: str, overheard: Callable[[], str]
) -> None:
    trouble = notify(channel, address, "t", TEXT)
    assert trouble is not None
    assert says in trouble
    assert SECRET not in trouble + overheard()


def test_the_library_knows_every_scheme() -> None:
    import apprise

    known = {
        scheme
        for service in apprise.Apprise().details()["schemas"]
        for scheme in (*(service["protocols"] or ()), *(service["secure_protocols"] or ()))
    }
    assert {scheme for schemes in SCHEMES.values() for scheme in schemes} <= known
