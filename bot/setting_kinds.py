"""The kinds of values settings have: secrets, keys, addresses, comma lists, words in either case.

bot/settings.py is made of them. No error here ever shows the value it is about.
"""

from __future__ import annotations

import base64
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

# Printable ASCII without spaces and quotes: more than any token has, and safe in a header.
SECRET = re.compile(r"[!#-&(-~]+")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DATABASES = re.compile(r"sqlite(\+aiosqlite)?:///(?!:memory:).|postgres(ql)?(\+asyncpg)?://")
DATABASE_HELP = "must be sqlite:///file.db or postgresql://user:password@host/name"


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _looks_like_a_secret(value: SecretStr) -> SecretStr:
    if not SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("has characters no secret has (spaces, quotes, not ASCII): copy it again")
    return value


def _is_a_fernet_key(value: SecretStr) -> SecretStr:
    try:
        size = len(base64.urlsafe_b64decode(value.get_secret_value()))
    except ValueError:
        size = 0
    if size != 32:
        raise ValueError("is not a key: `python -m bot key` prints one")
    return value


def _networks(value: Any) -> Any:
    """CIDR ranges or single addresses, of either version."""
    try:
        return tuple(ip_network(str(word), strict=False) for word in _split(value))
    except ValueError:
        raise ValueError("must be addresses or CIDR ranges, such as 10.0.0.0/8,fd00::/8") from None


def _url(value: str) -> SplitResult:
    """Raises ValueError, never with the address in its words."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("must be an address, such as https://pager.example.com") from None
    return parts


def _url_is_safe(value: str) -> str:
    parts = _url(value)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not local and (parts.scheme != "https" or not parts.hostname):
        raise ValueError("must be an https:// address (http:// only towards this machine itself)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address alone: no user, password, `?` or `#`")
    return value


def _database_is_known(value: SecretStr) -> SecretStr:
    plain = value.get_secret_value()
    if not DATABASES.match(plain):
        raise ValueError(DATABASE_HELP)
    try:
        parts = _url(plain)
    except ValueError:
        raise ValueError(f"{DATABASE_HELP}; in a password write @ : / ? # as %40 %3A %2F %3F %23") from None
    if parts.netloc.count("@") > 1:
        raise ValueError(f"{DATABASE_HELP}; in a password write @ as %40")
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Secret = Annotated[SecretStr, AfterValidator(_looks_like_a_secret)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[Secret, ...], NoDecode, BeforeValidator(_split)]
Keys = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_is_a_fernet_key)], ...], NoDecode, BeforeValidator(_split)
]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Url = Annotated[str, AfterValidator(_url_is_safe)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_is_known)]
Lower = BeforeValidator(_lower)
Upper = BeforeValidator(_upper)
