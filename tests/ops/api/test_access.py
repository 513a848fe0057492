"""Tokens and their roles, and what guessing comes to."""

import pytest

from sipgw.ops.api.access import Access, Role, TooManyGuesses, Who
from sipgw.options import TokenOptions

GOOD = "a-token-nobody-guesses"
TOKENS = (TokenOptions("desk", "operate", GOOD), TokenOptions("wall", "read", "another-such-token"))


def test_a_token_is_known_by_name_and_role() -> None:
    access = Access(TOKENS)
    assert access.who(GOOD, "127.0.0.1", 0.0) == Who("desk", Role.OPERATE)
    assert access.who("another-such-token", "127.0.0.1", 0.0) == Who("wall", Role.READ)


@pytest.mark.parametrize("token", ["", GOOD[:-1], f"{GOOD} ", "\udce9", GOOD.upper()])
def test_what_is_no_token_is_nobody(token: str) -> None:
    assert Access(TOKENS).who(token, "127.0.0.1", 0.0) is None


def test_tokens_are_exchanged_while_running() -> None:
    access = Access(TOKENS)
    access.accept([TokenOptions("desk", "read", "a-newer-token-of-its-own")])
    assert access.who(GOOD, "127.0.0.1", 0.0) is None
    assert access.who("a-newer-token-of-its-own", "127.0.0.1", 0.0) == Who("desk", Role.READ)


def test_roles_are_in_order() -> None:
    assert Role.READ < Role.OPERATE < Role.ADMIN


def test_of_a_token_only_its_hash_is_kept() -> None:
    assert GOOD not in repr(vars(Access(TOKENS)))
    assert GOOD not in repr(TOKENS)


def test_who_guesses_has_to_wait() -> None:
    access = Access(TOKENS)
    for second in range(20):
        assert access.who("a guess", "192.0.2.1", float(second)) is None
    # Now not even the right one is looked at; other addresses are not concerned.
    with pytest.raises(TooManyGuesses) as told:
        access.who(GOOD, "192.0.2.1", 20.0)
    assert told.value.wait == pytest.approx(40.0)
    assert access.who(GOOD, "192.0.2.2", 20.0) is not None
    # A minute after the first guess it may try again.
    assert access.who(GOOD, "192.0.2.1", 60.0) is not None


def test_guesses_from_everywhere_do_not_fill_the_memory() -> None:
    access = Access(TOKENS)
    for number in range(5000):
        access.who("a guess", f"2001:db8::{number:x}", 0.0)
    assert len(access._guesses) <= 1000
