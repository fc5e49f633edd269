"""Seals what must not lie readable in the database: tokens, and the addresses at which a person is answered.

Fernet, with several keys: the first seals, all of them open, so that keys are rotated without a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr


def new_key() -> str:
    """A key for ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode("ascii")


class Unsealable(Exception):
    """None of the configured keys opens it: the key that sealed it is missing from ENCRYPTION_KEYS."""


class Sealer:
    """Takes Fernet keys (url-safe base64 of 32 bytes). Raises ValueError when there is none, or one is
    not a key.
    """

    def __init__(self, keys: Sequence[SecretStr | str]) -> None:
        if not keys:
            raise ValueError("Sealing needs at least one key.")
        plain = [key.get_secret_value() if isinstance(key, SecretStr) else key for key in keys]
        try:
            fernets = [Fernet(key) for key in plain]
        except ValueError:
            raise ValueError("An encryption key is 32 random bytes in url-safe base64.") from None
        self._first = fernets[0]
        self._fernet = MultiFernet(fernets)

    def __repr__(self) -> str:
        return "Sealer(…)"

    def seal(self, text: str) -> str:
        """Sealed text; the same text seals differently each time."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text again. Raises Unsealable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unsealable("Sealed with a key that ENCRYPTION_KEYS does not have.") from None

    def resealed(self, sealed: str) -> str | None:
        """The same text, sealed with the first key; None when it is already. Raises Unsealable."""
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None
