"""A stand-in for the Python package `keyring`, with a backend of any name."""

import sys
from types import ModuleType

import pytest


def package(backend: object, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A package `keyring` with this backend, as far as it is used."""
    held: dict[tuple[str, str], str] = {}

    class KeyringError(Exception):
        pass

    def set_password(service: str, name: str, secret: str) -> None:
        if secret == "refuse":
            raise KeyringError
        held[service, name] = secret

    made = ModuleType("keyring")
    made.__spec__ = sys.modules["json"].__spec__
    errors = ModuleType("keyring.errors")
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    for name, value in {
        "get_keyring": lambda: backend,
        "get_password": lambda service, name: held.get((service, name)),
        "set_password": set_password,
        "delete_password": lambda service, name: held.pop((service, name)),
        "errors": errors,
    }.items():
        setattr(made, name, value)
    monkeypatch.setitem(sys.modules, "keyring", made)
    return held


def backend_of(module: str) -> object:
    return type("Keyring", (), {"__module__": module})()
