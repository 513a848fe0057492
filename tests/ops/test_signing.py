"""Signatures are those of the Standard Webhooks specification, as its example and our README see them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sipgw.ops.signing import key, signature_headers

README = Path(__file__).parents[2] / "README.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_specifications_own_example_comes_out() -> None:
    headers = signature_headers([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330.9, b'{"test": 2432232314}')
    assert headers == {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.fixture
def verified() -> Callable[..., bool]:
    """The README's verifier, as a receiver would run it."""
    [code] = re.findall(r"```python\n(.*?def verified.*?)```", README.read_text(), re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)
    found: Callable[..., bool] = space["verified"]
    return found


@pytest.mark.parametrize("secret", [SECRET, "a plain text of some length"])
def test_the_readmes_verifier_takes_ours_and_nothing_else(verified: Callable[..., bool], secret: str) -> None:
    body = '{"name": "Zoë"}'.encode()
    headers = signature_headers([secret], "msg_1", 1000.0, body)
    assert verified(secret, headers, body, now=1010.0)
    assert not verified(secret, headers, body + b" ", now=1010.0)
    assert not verified(secret + "x" * 4, headers, body, now=1010.0)
    assert not verified(secret, {**headers, "Webhook-Id": "msg_2"}, body, now=1010.0)
    assert not verified(secret, {**headers, "Webhook-Timestamp": "1001"}, body, now=1010.0)
    # A copy recorded by somebody and sent again later.
    assert not verified(secret, headers, body, now=1301.0)


def test_while_a_secret_is_replaced_both_verify(verified: Callable[..., bool]) -> None:
    new, old = "the new secret, long enough", "the old secret, long enough"
    headers = signature_headers([new, old], "msg_1", 1000.0, b"{}")
    assert verified(new, headers, b"{}", now=1000.0)
    assert verified(old, headers, b"{}", now=1000.0)
    assert not verified("some other secret entirely", headers, b"{}", now=1000.0)


@pytest.mark.parametrize("secret", ["", "short", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_M"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"shorter than 16|not base64"):
        key(secret)
