"""Pictures of the models page, for the command of `shots`."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QScrollArea

from app.main_window import MainWindow
from core.models import store
from core.models.records import MoveAlias, SaveCard, TrustKey
from core.trust import model_signing
from tests.unit.app.model_bench import GB, ModelBench


def pem() -> bytes:
    """A new public key for model files."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return model_signing.public_pem(ec.generate_private_key(ec.SECP256R1()).public_key())


def models(then: Callable[[MainWindow], None] = lambda window: None) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = ModelBench(window.operations.workbench.vault, Path(tempfile.mkdtemp()) / "models")  # type: ignore[union-attr]
        if store.ALIAS and not bench.models.list():
            bench.put("corvid-1.5b", "f16", signature="valid", signed_by="Merrowdale Laboratories", size=3_100_000_000)
            bench.put("corvid-1.5b-q4_k_m", "q4_k_m", size=986_000_000)
            bench.put("magpie-7b-instruct-of-a-long-name", "q5_k_m", signature="unchecked", signed_by="magpie.dev")
            bench.put("rook-embed", purpose="embed", size=90_000_000, parameters=22_600_000, context=512)
            bench.model_cards.save(
                SaveCard(
                    model="corvid-1.5b",
                    intended="Answers from the safety procedures, with their passages.",
                    unsuited="Advice on single patients.",
                    limits="English only. It errs with tables that go over two pages.",
                    source="From the laboratory’s own mirror, 12 October.",
                )
            )
            bench.model_aliases.move(MoveAlias(name="safety-answers", model="corvid-1.5b"))
        bench.engine.hold("corvid-1.5b", requests=2, memory=3_900_000_000)
        bench.engine.hold("corvid-1.5b", memory=1_900_000_000, projector="corvid-eyes")
        bench.engine.hold("rook-embed", memory=140_000_000)
        window.operations._workbench = bench  # type: ignore[assignment]
        window.go("models")
        wait(window)
        then(window)

    return show


def planned(room: float) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        window.operations.workbench.engine.room = int(room * GB)  # type: ignore[union-attr]
        window.page.detail.plan.ask.click()  # type: ignore[union-attr]

    return show


def quantize(window: MainWindow) -> None:
    window.page.detail.quantize_button.click()  # type: ignore[union-attr]


def quantized(window: MainWindow) -> None:
    quantize(window)
    form = window.overlay.panel
    form.text.edit.setPlainText("The site reports every serious event within 24 hours.")  # type: ignore[union-attr]
    form.name.edit.setText(f"made-{len(window.page.found.models)}")  # type: ignore[union-attr]
    form.act.click()  # type: ignore[union-attr]


def working(window: MainWindow) -> None:
    window.operations.workbench.making.gate.clear()  # type: ignore[union-attr]
    folder = Path(tempfile.mkdtemp()) / "jackdaw-3b"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    window.page.ask_import(str(folder))  # type: ignore[union-attr]
    window.overlay.panel.act.click()  # type: ignore[union-attr]
    for _ in range(30):
        from PySide6.QtTest import QTest

        QTest.qWait(5)


def detail(window: MainWindow) -> None:
    """The lower part of what stands beside a model."""
    scroll = window.page._side.findChild(QScrollArea)  # type: ignore[union-attr]
    scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())


def disk(window: MainWindow) -> None:
    from tests.unit.app.shots import wait

    bench = window.operations.workbench
    folder = Path(bench.models.list()[0].path).parent  # type: ignore[union-attr]
    for name in ("copy", "other"):
        (folder / f"{name}.gguf").write_bytes(b"GGUF" + b"copy" * 900_000)  # type: ignore[union-attr]
    window.page.view.segment("disk").click()  # type: ignore[union-attr]
    wait(window)


def keys(then: Callable[[MainWindow], None] = lambda window: None) -> Callable[[MainWindow], None]:
    """The view of signatures, with two trusted keys."""

    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        bench = window.operations.workbench
        trusted = bench.signatures.keys()  # type: ignore[union-attr]
        for name in ("merrowdale-laboratories", "magpie.dev"):
            if name not in {one.name for one in trusted}:
                path = Path(tempfile.mkdtemp()) / "key.pem"
                path.write_bytes(pem())
                bench.signatures.trust(TrustKey(name=name, path=str(path)))  # type: ignore[union-attr]
        window.page.view.segment("keys").click()  # type: ignore[union-attr]
        wait(window)
        then(window)

    return show


def sign_file(window: MainWindow) -> None:
    window.page.signing.sign(window.page.found.models[0].path)  # type: ignore[union-attr]


def compare(then: bool) -> Callable[[MainWindow], None]:
    def show(window: MainWindow) -> None:
        from tests.unit.app.shots import wait

        window.page.detail.compare_button.click()  # type: ignore[union-attr]
        form = window.overlay.panel
        if then:
            form.text.edit.setPlainText("The site reports every serious event within 24 hours.")  # type: ignore[union-attr]
            form.act.click()  # type: ignore[union-attr]
            wait(window)

    return show


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "models": models(),
    "models-detail": models(detail),
    "models-plan": models(planned(6)),
    "models-too-large": models(planned(1.3)),
    "models-import": models(lambda window: window.page.ask_import()),  # type: ignore[union-attr]
    "models-working": models(working),
    "models-quantize": models(quantize),
    "models-quantized": models(quantized),
    "models-card": models(lambda window: window.page.detail.describe_button.click()),  # type: ignore[union-attr]
    "models-sign": models(lambda window: window.page.detail.sign_button.click()),  # type: ignore[union-attr]
    "models-alias": models(lambda window: window.page.detail.alias.emit("safety-answers")),  # type: ignore[union-attr]
    "models-disk": models(disk),
    "models-keys": models(keys()),
    "models-trust": models(keys(lambda window: window.page.keys.trust_button.click())),  # type: ignore[union-attr]
    "models-verify": models(keys(lambda window: window.page.keys.verify_button.click())),  # type: ignore[union-attr]
    "models-sign-file": models(keys(sign_file)),
    "models-compare": models(compare(then=False)),
    "models-compared": models(compare(then=True)),
    "models-wrong": models(lambda window: window.page.take([__file__])),  # type: ignore[union-attr]
}
