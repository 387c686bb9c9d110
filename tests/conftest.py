"""What all tests share: real inputs beside the checkout, an offscreen display, and vaults to work in."""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, new_kdf
from core.vault.migrations import Migrations
from core.vault.vault import Vault

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """What no outcome may depend on: which examples are drawn, how long one takes, and how the tests were started."""
    import hypothesis

    hypothesis.settings.register_profile(
        "steady",
        deadline=None,
        database=None,
        derandomize="HYPOTHESIS_SEARCH" not in os.environ,  # set it to look for new examples
        suppress_health_check=(hypothesis.HealthCheck.too_slow,),
    )
    hypothesis.settings.load_profile("steady")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background jobs ignore Ctrl-C, and so would each program that a test starts and interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Garbage is collected between tests, on the main thread: a widget that an earlier test left must not be taken apart by the thread of
    another, where Qt crashes."""
    gc.disable()
    result = yield
    counts, limits = gc.get_count(), gc.get_threshold()
    gc.collect(2 if counts[2] > limits[2] else 1 if counts[0] > limits[0] else 0)
    gc.disable()
    return result


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs that nobody here wrote; they are not part of the repository."""
    folder = Path(os.environ.get("ASSAY_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real test data is absent: {folder} (set ASSAY_TEST_DATA)")
    return folder


@pytest.fixture(autouse=True)
def private_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings of the person who runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture
def qtbot(qapp: "QApplication", request: pytest.FixtureRequest) -> "QtBot":
    """In place of the plugin's: one that waits longer."""
    from tests.patience import PatientBot

    return PatientBot(request)


PASSPHRASES = {"ines": "seven lanterns by the river", "tomas": "a quiet ladder in october"}
"""Of the people in the vaults that tests make: ines is administrator and author, tomas reviews."""


def weak_kdf() -> Kdf:
    """The cheapest parameters that are accepted, so that a test's vault opens in milliseconds."""
    return new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


@pytest.fixture
def passphrases() -> dict[str, str]:
    return dict(PASSPHRASES)


@pytest.fixture
def vault_factory(tmp_path: Path) -> Iterator[Callable[..., Vault]]:
    """`vault_factory(schema=(), name="Study")`: a new vault with ines and tomas, open for ines; closed after the test."""
    made: list[Vault] = []

    def make(schema: Sequence[Migrations] = (), name: str = "Study") -> Vault:
        folder = tmp_path / f"{name}.assay"
        vault = Vault.create(folder, "ines", "Inês Duarte", PASSPHRASES["ines"], schema, kdf=weak_kdf)
        made.append(vault)
        with vault.confirm(PASSPHRASES["ines"]) as signer:
            vault.add_user(signer, "tomas", "Tomás Vidal", ("reviewer",), PASSPHRASES["tomas"], kdf=weak_kdf)
        return vault

    yield make
    for vault in made:
        vault.close()


@pytest.fixture
def vault(vault_factory: Callable[..., Vault]) -> Vault:
    """An open vault without any package's tables."""
    return vault_factory()


@pytest.fixture
def reopen() -> Iterator[Callable[..., Vault]]:
    """`reopen(vault, "tomas", schema=())`: close a vault and open it for somebody else; closed after the test."""
    made: list[Vault] = []

    def open_as(vault: Vault, user: str, schema: Sequence[Migrations] = ()) -> Vault:
        vault.close()
        again = Vault.open(vault.folder, user, PASSPHRASES[user], schema)
        made.append(again)
        return again

    yield open_as
    for vault in made:
        vault.close()
