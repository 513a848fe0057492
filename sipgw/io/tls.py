"""TLS for SIP (RFC 3261 section 26.3, RFC 5922): contexts from files, made anew when the files change.

A context is changed in place, so that connections made from then on have the new certificate; those there are stay.
"""

import os
import ssl
from collections.abc import Iterable
from typing import Any

from cryptography import x509

from sipgw.errors import Unavailable
from sipgw.options import TlsOptions

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_PROOFS = ("DNS", "URI", "IP Address")
_CLIENTS = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class TlsFiles:
    """The contexts of one listener.

    Args:
        options: the files.

    Raises:
        Unavailable: a file cannot be read, or does not hold what it should.
    """

    def __init__(self, options: TlsOptions) -> None:
        self._options = options
        self._seen: tuple[float, ...] = ()
        self.server: ssl.SSLContext | None = None
        """For those who connect to us; None where we have no certificate."""
        self.client = _context(ssl.PROTOCOL_TLS_CLIENT, options)
        self.client.check_hostname = False  # `proves` does: a certificate for SIP may name a URI
        """For those we connect to. We show our certificate to who asks for it (mutual TLS)."""
        if options.certificate:
            self.server = _context(ssl.PROTOCOL_TLS_SERVER, options)
            self.server.verify_mode = _CLIENTS[options.clients]
        self._by_name: dict[str, ssl.SSLContext] = {}
        self.load()

    def load(self) -> None:
        """Read the files again.

        Raises:
            Unavailable: they are no good; what was in force stays so.
        """
        options = self._options
        seen = self._changed()
        if options.certificate:
            # Tried apart first: a context that has taken half of a bad pair would refuse everybody.
            _read(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), options.certificate, options.private_key)
        contexts: dict[str, ssl.SSLContext] = {}
        for certificate, key in options.further:
            context = _context(ssl.PROTOCOL_TLS_SERVER, options)
            context.verify_mode = _CLIENTS[options.clients]
            _read(context, certificate, key)
            contexts |= dict.fromkeys(_names_in(certificate), context)
        for context in filter(None, (self.server, self.client)):
            # One that is taken out of the file is believed on until a restart: a context forgets none.
            _believe(context, options.authorities)
            if options.certificate:
                _read(context, options.certificate, options.private_key)
        if self.server is not None and contexts:
            self.server.sni_callback = self._choose
        self._by_name, self._seen = contexts, seen

    def stale(self) -> bool:
        """Whether a file has changed since it was read."""
        return self._changed() != self._seen

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Show the certificate for the name that is asked for; the first one where none is for it."""
        wanted = (name or "").lower()
        found = self._by_name.get(wanted) or self._by_name.get("*." + wanted.partition(".")[2])
        if found is not None:
            connection.context = found

    def _changed(self) -> tuple[float, ...]:
        options = self._options
        further = (name for pair in options.further for name in pair)
        files = (options.certificate, options.private_key, options.authorities, *further)
        return tuple(_modified(name) for name in files if name)


def proven_names(certificate: Any) -> tuple[str, ...]:
    """The names a peer's certificate proves, lower case: its URIs, DNS names and addresses (RFC 5922 section 7.1).

    Args:
        certificate: as `getpeercert` gives it; None or empty where there is none.
    """
    if not certificate:
        return ()
    alternatives = certificate.get("subjectAltName", ())
    names = [_of_uri(value) if kind == "URI" else value for kind, value in alternatives if kind in _PROOFS]
    if not alternatives:
        # Old certificates say it in their common name alone; where there is an alternative name it does not count.
        pairs = (pair for part in certificate.get("subject", ()) for pair in part)
        names = [value for kind, value in pairs if kind == "commonName"]
    return tuple(dict.fromkeys(name.lower() for name in names if name))


def proves(names: Iterable[str], wanted: str) -> bool:
    """Whether one of the names is the one wanted, or `*.` for its first label, which carriers use (RFC 6125)."""
    wanted = wanted.lower()
    parent = "*." + wanted.partition(".")[2]
    return any(name in (wanted, parent) for name in names)


def _of_uri(uri: str) -> str:
    """The domain of `sip:example.com`; nothing for one of another scheme or with a user (RFC 5922 section 7.1)."""
    scheme, _, rest = uri.partition(":")
    return rest if scheme.lower() == "sip" and "@" not in rest else ""


def _context(kind: int, options: TlsOptions) -> ssl.SSLContext:
    context = ssl.SSLContext(kind)
    context.minimum_version = _VERSIONS[options.minimum]
    context.load_default_certs(ssl.Purpose.CLIENT_AUTH if kind == ssl.PROTOCOL_TLS_SERVER else ssl.Purpose.SERVER_AUTH)
    _believe(context, options.authorities)
    return context


def _believe(context: ssl.SSLContext, authorities: str) -> None:
    """Certificates may come from these as well; none where there is no file of them."""
    if not authorities:
        return
    try:
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise Unavailable(f"{authorities}: {_why(error, 'authorities in PEM form')}") from None


def _read(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        # A key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(certificate, key or None, password=lambda: "")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise Unavailable(
            f"{certificate}{' with ' + key if key else ''}: "
            f"{_why(error, 'a certificate and its key, without a passphrase, in PEM form')}"
        ) from None


def _why(error: Exception, wanted: str) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"does not hold {wanted} ({error})"


def _names_in(certificate: str) -> Iterable[str]:
    """The DNS names of the first certificate in a PEM file."""
    with open(certificate, "rb") as file:
        parsed = x509.load_pem_x509_certificate(file.read())
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def _modified(name: str) -> float:
    try:
        return os.stat(name).st_mtime
    except OSError:
        return 0.0
