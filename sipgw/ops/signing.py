"""Signatures on what we post, as the Standard Webhooks specification has them, so that its libraries verify them.

The signature is HMAC-SHA256 over `id.timestamp.body`, in base64 after the version `v1,`. While a secret is being
replaced there is one signature for each, with a space between.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

_ENCODED = "whsec_"
SHORTEST = 16
"""Characters of a secret."""


def key(secret: str) -> bytes:
    """What a secret signs with: the bytes that base64 after `whsec_` stands for, else the text itself.

    Raises:
        ValueError: it is too short to be one, or not base64.
    """
    if not secret.startswith(_ENCODED):
        if len(secret) < SHORTEST:
            raise ValueError(f"is shorter than {SHORTEST} characters")
        return secret.encode()
    try:
        decoded = base64.b64decode(secret.removeprefix(_ENCODED), validate=True)
    except binascii.Error:
        raise ValueError("is not base64 after whsec_") from None
    if len(decoded) < SHORTEST:
        raise ValueError(f"is shorter than {SHORTEST} bytes")
    return decoded


def signature_headers(secrets: Iterable[str], name: str, when: float, body: bytes) -> dict[str, str]:
    """The headers that sign a message.

    Args:
        secrets: those in force, the newest first.
        name: the message's id, the same whenever it is sent again.
        when: Unix time of this sending.
        body: as it is sent.
    """
    timestamp = str(int(when))
    signed = f"{name}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key(secret), signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "Webhook-Id": name,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
