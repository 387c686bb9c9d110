"""Traces of API calls: counted by day and token, found again, kept for a time, and gone from everywhere when they are erased."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.assistants.api_calls import ApiCall, ApiCalls
from core.errors import NotFound
from core.jobs import Job
from core.vault import erasure, retention
from core.vault.erasure import Erase
from core.vault.holds import Thing
from core.vault.retention import SetRetention
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA

PASSPHRASE = "seven lanterns by the river"


def call(name: str = "nightly", day: str = "2026-01-31", tokens: int = 7) -> ApiCall:
    return ApiCall(
        path="/v1/completions",
        request_id=f"req-{name}-{day}",
        token=name,
        began=f"{day}T10:00:00+00:00",
        request='{"prompt": "a secret"}',
        status=200,
        prompt_tokens=5,
        tokens=tokens,
    )


@pytest.fixture
def vault(vault_factory: Callable[..., Vault]) -> Vault:
    return vault_factory(SCHEMA)


def test_use_is_counted_by_day_and_token(vault: Vault) -> None:
    calls = ApiCalls(vault)
    calls.keep((call(), call(tokens=1), call("chat"), call(day="2026-02-01")))
    assert calls.used("2026-01-31") == {"nightly": 18, "chat": 12}
    assert calls.used("2026-03-01") == {}
    assert [kept.began[:10] for _, kept in calls.list(2)] == ["2026-02-01", "2026-01-31"]


def test_one_change_is_one_entry_of_the_log_that_names_the_tokens(vault: Vault) -> None:
    with vault.read() as reader:
        before = reader.log_size
    kept = ApiCalls(vault).keep((call(), call("chat")))
    with vault.read() as reader:
        (entry,) = reader.log(10, before - 1)
    assert (entry.act, entry.about, entry.objects) == ("use-api", "chat, nightly", kept)


def test_an_erased_call_is_gone(vault: Vault) -> None:
    calls = ApiCalls(vault)
    gone, stays = calls.keep((call(), call("chat")))
    with vault.confirm(PASSPHRASE) as signer:
        asked = Erase(things=(Thing(kind="api-call", reference=gone),), reason="request 12")
        erasure.erase(vault, ERASABLES, signer, asked, Job("Erase"))
    assert [digest for digest, _ in calls.list()] == [stays]
    with pytest.raises(NotFound):
        calls.show(gone)


def test_a_rule_takes_old_calls(vault: Vault) -> None:
    calls = ApiCalls(vault)
    calls.keep((call(),))
    retention.set_rule(vault, ERASABLES, SetRetention(name="api-calls", days=30, reason="as agreed"))
    with vault.confirm(PASSPHRASE) as signer:
        retention.apply(vault, ERASABLES, signer, datetime.now(UTC) + timedelta(days=20), "due", Job("Erase"))
        assert len(calls.list()) == 1
        retention.apply(vault, ERASABLES, signer, datetime.now(UTC) + timedelta(days=40), "due", Job("Erase"))
    assert calls.list() == ()
