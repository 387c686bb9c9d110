"""Signatures on model files, and models compared, on the models page over a real vault."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.bridge.models import words_of
from app.bridge.operations import Operations
from app.pages.model_compare import ComparedPanel, CompareForm, comparable, why_not
from app.pages.model_detail import facts_of
from app.pages.model_forms import Told
from app.pages.model_keys import SignedPanel, TrustForm, VerifyForm
from app.pages.models import ModelsPage
from app.pages.policy_form import PolicyForm, facts
from app.pages.removal import Removal
from app.widgets.signing import Signed, SigningPanel
from core.errors import BadInput, NotFound
from core.models.records import FAKE
from core.trust import model_signing
from core.vault.policies import Policy
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES
from tests.unit.app.model_bench import ModelBench
from tests.unit.app.shells import TestShell


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path) -> ModelBench:
    made = ModelBench(vault_factory(SCHEMA), tmp_path / "models")
    made.put("corvid-f16", "f16")
    made.put("corvid-q4", "q4_k_m")
    made.put("other", tokenizer="another one")
    made.put("eyes", purpose="projector")
    return made


@pytest.fixture
def shell(bench: ModelBench, qtbot: QtBot) -> Iterator[TestShell]:
    operations = Operations()
    operations.attach(bench)  # type: ignore[arg-type]
    made = TestShell(operations)
    yield made
    bench.making.gate.set()
    operations.detach()
    operations.close()
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def page(shell: TestShell, qtbot: QtBot) -> ModelsPage:
    made = shell.hold(ModelsPage(shell))  # type: ignore[arg-type]
    assert isinstance(made, ModelsPage)
    qtbot.waitUntil(lambda: made.detail.model is not None and shell.operations.running() == 0)
    return made


@pytest.fixture
def keys(page: ModelsPage, shell: TestShell, qtbot: QtBot) -> ModelsPage:
    """The view of signatures."""
    page.view.segment("keys").click()
    qtbot.waitUntil(lambda: shell.operations.running() == 0)
    assert page.keys.isVisible()
    return page


def pem(path: Path) -> Path:
    path.write_bytes(model_signing.public_pem(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return path


def enter(shell: TestShell) -> None:
    """Sign what the panel shows."""
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    panel.signed.emit(Signed(meaning="released", reason="For the site", user="ines", passphrase=PASSPHRASES["ines"]))


def told(shell: TestShell, qtbot: QtBot, kind: type = Told) -> Told:
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, kind))
    found = shell.overlay.panel
    assert isinstance(found, Told)
    return found


def signed(keys: ModelsPage, shell: TestShell, path: Path, qtbot: QtBot) -> SignedPanel:
    keys.signing.sign(str(path))
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, SigningPanel))
    enter(shell)
    found = told(shell, qtbot, SignedPanel)
    assert isinstance(found, SignedPanel)
    return found


def test_a_key_is_trusted_and_no_more(keys: ModelsPage, shell: TestShell, tmp_path: Path, qtbot: QtBot) -> None:
    keys.keys.trust_button.click()
    form = shell.overlay.panel
    assert isinstance(form, TrustForm)
    form.act.click()
    assert form.name.error
    form.name.edit.setText("merrowdale")
    form.file.edit.setText(str(tmp_path / "nothing.pem"))
    form.act.click()
    qtbot.waitUntil(lambda: "nothing.pem" in form.problem)
    form.file.edit.setText(str(pem(tmp_path / "key.pem")))
    form.act.click()
    panel = told(shell, qtbot)
    assert panel.accessibleName() == "merrowdale is trusted"
    panel.close_button.click()
    qtbot.waitUntil(lambda: "merrowdale" in keys.keys.buttons)
    assert keys.keys.buttons["merrowdale"].accessibleName() == "Trust merrowdale no more"
    keys.keys.buttons["merrowdale"].click()
    assert isinstance(shell.overlay.panel, Removal)
    shell.overlay.panel.remove.click()
    qtbot.waitUntil(lambda: keys.keys.buttons == {})


def test_a_file_is_signed_and_verified_by_its_key(
    keys: ModelsPage, shell: TestShell, bench: ModelBench, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tone.gguf"
    path.write_bytes(b"GGUF tone")
    keys.signing.sign(str(path))
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, SigningPanel))
    assert shell.overlay.panel.exact._text == f"{hashlib.sha256(b'GGUF tone').hexdigest()}  tone.gguf\n"
    enter(shell)
    panel = told(shell, qtbot, SignedPanel)
    assert isinstance(panel, SignedPanel)
    assert ("Signature", f"{path}.sig") in panel.facts
    panel.copy_button.click()
    assert QApplication.clipboard().text().startswith("-----BEGIN PUBLIC KEY-----")
    key = tmp_path / "ines.pem"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(key), ""))
    panel.save_button.click()
    qtbot.waitUntil(lambda: shell.said == ["ines.pem is written"])
    shell.close_overlay()
    for by_file in (True, False):
        keys.keys.verify_button.click()
        form = shell.overlay.panel
        assert isinstance(form, VerifyForm)
        form.path.edit.setText(str(path))
        if by_file:
            form.by.edit.setCurrentIndex(1)
            form.key.edit.setText(str(key))
        form.act.click()
        if by_file:
            assert ("Signed by", "ines.pem") in told(shell, qtbot).facts
            shell.close_overlay()
    qtbot.waitUntil(lambda: keys.banner.isVisible())
    assert "trusted key" in keys.banner.text


def test_a_changed_file_is_told(keys: ModelsPage, shell: TestShell, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "tone.gguf"
    path.write_bytes(b"GGUF tone")
    signed(keys, shell, path, qtbot)
    shell.close_overlay()
    path.write_bytes(b"GGUF gone")
    keys.keys.verify_button.click()
    form = shell.overlay.panel
    assert isinstance(form, VerifyForm)
    form.path.edit.setText(str(path))
    form.by.edit.setCurrentIndex(1)
    form.act.click()
    assert form.key.error
    key = tmp_path / "key.pem"
    key.write_text(own_key(keys))
    form.key.edit.setText(str(key))
    form.act.click()
    qtbot.waitUntil(lambda: keys.banner.isVisible())
    assert "the content differs from what was signed" in keys.banner.text


def own_key(page: ModelsPage) -> str:
    from core.models.signatures import public_key

    with page.operations.workbench.vault.confirm(PASSPHRASES["ines"]) as signer:  # type: ignore[union-attr]
        return public_key(signer)


def test_a_file_that_changes_while_its_signature_is_asked_for_is_not_signed(
    keys: ModelsPage, shell: TestShell, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "tone.gguf"
    path.write_bytes(b"GGUF tone")
    keys.signing.sign(str(path))
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, SigningPanel))
    path.write_bytes(b"GGUF gone")
    panel = shell.overlay.panel
    enter(shell)
    qtbot.waitUntil(lambda: shell.operations.running() == 0)
    assert shell.overlay.panel is panel
    assert not path.with_name("tone.gguf.sig").exists()


@pytest.mark.parametrize("changed", [False, True])
def test_a_registered_model_is_exported_signed_and_one_that_changed_is_not(
    page: ModelsPage,
    shell: TestShell,
    bench: ModelBench,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    changed: bool,
) -> None:
    content = b"GGUF" + b"raven" * 400
    bench.put("raven", digest=hashlib.sha256(content).hexdigest(), size=len(content))
    if changed:
        (bench.folder / "raven.gguf").write_bytes(b"GGUF of another")
    page.show_about("raven")
    page.opened()
    qtbot.waitUntil(lambda: page.detail.model is not None and page.detail.model.name == "raven")
    place = tmp_path / "out"
    place.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(place))
    page.detail.export_button.click()
    asked = shell.overlay.panel
    enter(shell)
    if changed:
        qtbot.waitUntil(lambda: shell.operations.running() == 0)
        assert shell.overlay.panel is asked
        assert list(place.iterdir()) == []
        return
    panel = told(shell, qtbot, SignedPanel)
    assert ("Signature", str(place / "raven" / "model.sig")) in panel.facts
    assert (place / "raven" / "raven.gguf").read_bytes() == content


@pytest.mark.parametrize("roles", [("auditor",)])
def test_who_may_neither_trust_nor_sign_is_told(
    keys: ModelsPage, shell: TestShell, bench: ModelBench, roles: tuple[str, ...], qtbot: QtBot
) -> None:
    bench.vault.user = replace(bench.vault.user, roles=roles)
    keys.signing.look()
    qtbot.waitUntil(lambda: shell.operations.running() == 0)
    assert "administrator" in keys.keys.trust_button.toolTip()
    assert "author or reviewer" in keys.keys.file_button.toolTip()
    assert keys.keys.verify_button.isEnabled()


def test_two_models_are_compared_as_a_picture_and_in_words(
    page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot
) -> None:
    page.detail.compare_button.click()
    form = shell.overlay.panel
    assert isinstance(form, CompareForm)
    assert [form.other.edit.itemData(at) for at in range(form.other.edit.count())] == ["corvid-q4"]
    form.act.click()
    assert form.text.error
    form.text.edit.setPlainText("The tower has nine floors.")
    form.act.click()
    panel = told(shell, qtbot, ComparedPanel)
    assert isinstance(panel, ComparedPanel)
    assert bench.making.compared == [("corvid-f16", "corvid-q4", "The tower has nine floors.")]
    assert ("Perplexity of corvid-q4", "9.410") in panel.facts
    assert ("Same likeliest token", "94.3 % of all") in panel.facts
    assert "corvid-f16 9.12" in panel.picture.accessibleDescription()
    assert not panel.picture.grab().isNull()


def test_comparing_is_cancelled(page: ModelsPage, shell: TestShell, bench: ModelBench, qtbot: QtBot) -> None:
    bench.making.gate.clear()
    page.detail.compare_button.click()
    form = shell.overlay.panel
    assert isinstance(form, CompareForm)
    form.text.edit.setPlainText("The tower has nine floors.")
    form.act.click()
    qtbot.waitUntil(lambda: page.work.isVisible())
    assert "Something is being made" in page.detail.compare_button.toolTip()
    page.work.cancelled.emit()
    qtbot.waitUntil(lambda: not page.work.isVisible())
    assert shell.overlay.panel is None
    qtbot.waitUntil(lambda: page.detail.compare_button.isEnabled())


def test_what_cant_be_compared_says_why(bench: ModelBench) -> None:
    known = {one.name: one for one in bench.models.list()}
    everything = tuple(known.values())
    assert why_not(known["eyes"], everything) == "Models that write text are compared."
    assert why_not(known["other"], everything) == "No other model here reads the same tokens."
    assert why_not(known["corvid-f16"], everything) == ""
    assert comparable(replace(known["corvid-f16"], name=FAKE), everything) == ()


def test_a_text_to_measure_on_is_read_or_refused(tmp_path: Path) -> None:
    good = tmp_path / "page.txt"
    good.write_text("Neun Stöcke.", encoding="utf-8-sig")
    assert words_of(str(good)) == "Neun Stöcke."
    good.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="plain text"):
        words_of(str(good))
    with pytest.raises(NotFound):
        words_of(str(tmp_path / "none.txt"))


def test_a_projector_is_named_for_what_it_does(bench: ModelBench) -> None:
    eyes = next(one for one in bench.models.list() if one.name == "eyes")
    assert ("For", "Pictures") in facts_of(eyes)


def test_what_is_never_loaded_alone_has_no_plan(page: ModelsPage, qtbot: QtBot) -> None:
    assert page.detail.plan.isVisibleTo(page.detail)
    page.show_about("eyes")
    page.opened()
    qtbot.waitUntil(lambda: page.detail.model is not None and page.detail.model.name == "eyes")
    assert not page.detail.plan.isVisibleTo(page.detail)
    assert page.detail.quantize_button.toolTip() == "A projector isn’t quantized."


def test_the_policy_says_and_changes_which_models_answer(qtbot: QtBot) -> None:
    policy = Policy()
    assert ("Models", "any model answers and is evaluated") in facts(policy)
    form = PolicyForm(policy)
    qtbot.addWidget(form)
    assert form.settings() == {}
    form.models.edit.setCurrentIndex(form.models.edit.findData("all"))
    assert form.settings() == {"approved-models": "all"}
