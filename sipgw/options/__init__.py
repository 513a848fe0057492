"""What each layer gets to see of the settings: frozen dataclasses, built by `settings`, one file a layer.

Durations are in seconds unless the name carries a unit.
"""

from sipgw.options.api import ApiOptions, TokenOptions
from sipgw.options.backend import BackendOptions
from sipgw.options.call import CallOptions, RouteOptions
from sipgw.options.defence import DefenceOptions
from sipgw.options.hook import Ask, HookOptions
from sipgw.options.media import AddressOptions, MediaOptions, OpusOptions, SrtpPolicy
from sipgw.options.outward import PlaceOptions, WebhookOptions
from sipgw.options.phone import PhoneOptions
from sipgw.options.recording import RecordingOptions
from sipgw.options.records import RecordOptions
from sipgw.options.sip import SECURE, ListenerOptions, RedirectOptions, SipOptions, StreamOptions, TlsOptions
from sipgw.options.trunk import NOBODY, CredentialOptions, IdentityOptions, Nat, RegistrationOptions, TrunkOptions

__all__ = [
    "NOBODY",
    "SECURE",
    "AddressOptions",
    "ApiOptions",
    "Ask",
    "BackendOptions",
    "CallOptions",
    "CredentialOptions",
    "DefenceOptions",
    "HookOptions",
    "IdentityOptions",
    "ListenerOptions",
    "MediaOptions",
    "Nat",
    "OpusOptions",
    "PhoneOptions",
    "PlaceOptions",
    "RecordOptions",
    "RecordingOptions",
    "RedirectOptions",
    "RegistrationOptions",
    "RouteOptions",
    "SipOptions",
    "SrtpPolicy",
    "StreamOptions",
    "TlsOptions",
    "TokenOptions",
    "TrunkOptions",
    "WebhookOptions",
]
