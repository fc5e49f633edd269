"""Sealed text opens with any of the keys, and shows nothing."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.store.sealing import Sealer, Unsealable

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text: str) -> None:
    sealer = Sealer([KEY])
    sealed = sealer.seal(text)
    assert sealer.open(sealed) == text
    assert sealed.isascii()
    assert len(text) < 4 or text not in sealed


def test_keys_are_rotated_without_a_gap() -> None:
    old = Sealer([KEY]).seal("token")
    both = Sealer([SecretStr(OTHER), SecretStr(KEY)])
    assert both.open(old) == "token"
    assert Sealer([OTHER]).open(both.seal("token")) == "token"


def test_a_missing_key_is_named_and_not_shown() -> None:
    with pytest.raises(Unsealable, match="ENCRYPTION_KEYS"):
        Sealer([OTHER]).open(Sealer([KEY]).seal("token"))
    with pytest.raises(Unsealable):
        Sealer([KEY]).open("not sealed at all")


@pytest.mark.parametrize("keys", [[], ["short"], [KEY, "nonsense"]])
def test_what_is_no_key_is_refused_without_showing_it(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        Sealer(keys)
    assert not any(key in str(refused.value) for key in keys)


def test_a_sealer_shows_no_key() -> None:
    assert KEY not in repr(Sealer([KEY]))


def test_only_what_another_key_sealed_is_sealed_again() -> None:
    both = Sealer([OTHER, KEY])
    again = both.resealed(Sealer([KEY]).seal("token"))
    assert again is not None
    assert Sealer([OTHER]).open(again) == "token"
    assert both.resealed(again) is None
    with pytest.raises(Unsealable):
        Sealer([OTHER]).resealed(Sealer([KEY]).seal("token"))
