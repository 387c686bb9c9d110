"""Pictures of the page of this installation, for the command of `shots`."""
# ruff: noqa: E501 (a finding a line)

from collections.abc import Callable
from pathlib import Path

from app.bridge import adding as bridge
from app.bridge.adding import Added
from app.bridge.operations import Failure
from app.main_window import MainWindow
from app.pages.installation import InstallationPage
from app.pages.installation_addons import AddonsCard
from core.installation.records import Examination, Finding

GOOD = (
    Finding(about="processor", state="good", sentence="AMD EPYC, 2 cores for this program, with AVX, AVX2, FMA, F16C, AVX512F."),
    Finding(about="graphics card", state="good", sentence="CUDA0 (NVIDIA H200) has 138.2 of 139.8 GiB free."),
    Finding(about="memory", state="good", sentence="21.6 GiB of 23.5 GiB are free."),
    Finding(about="swap", state="warning", sentence="Memory may be written to /dev/sda2, with what is open in it.", step="Encrypt the swap space, or turn it off (swapoff). Hibernation writes there too."),
    Finding(about="clock", state="note", sentence="The clock shows 2026-11-21T23:20+00:00. Nothing on this machine keeps it right.", step="Compare it with a clock that you trust now and then; a witness on another machine shows a clock that was set back."),
    Finding(about="network: this process", state="good", sentence="It can't reach outside (seccomp; every way that was tried is refused). Programs of this machine that relay what they are sent over a local socket are outside of this barrier."),
    *(Finding(about=f"network: {kind}", state="good", sentence="All 24 ways out were refused (namespace, landlock, seccomp).") for kind in ("document reader", "model worker", "trainer")),
    Finding(about="text recognition", state="good", sentence="Scanned pages are read by text recognition (languages: eng)."),
    Finding(about="program files", state="good", sentence="All 1,456 are as they were built (byte for byte)."),
)  # fmt: skip
BAD = (
    *GOOD[:5],
    Finding(about="network: model worker", state="fault", sentence="The model worker is not fully barred (landlock: not in this kernel): python tcp/ipv4.", step="Assay itself opens no connection, but a library that tried would not be stopped. Keep this machine off networks."),
    Finding(about="program files", state="fault", sentence="1 of 1,456 are not as they were built: _internal/llama_cpp/lib/libllama.so (changed).", step="Install Assay again from a bundle whose signature you checked."),
)  # fmt: skip


def _page(window: MainWindow) -> InstallationPage:
    window.go("installation")
    assert isinstance(window.page, InstallationPage)
    return window.page


def found(findings: tuple[Finding, ...]) -> Callable[[MainWindow], None]:
    return lambda window: _page(window)._done(Examination(findings=findings))


def running(window: MainWindow) -> None:
    page = _page(window)
    page._working.show()
    page._summary.hide()
    page.work.begin("Examining", "A process of each kind tries to reach outside")
    page.work.say(7, 11, "kinds of process")
    page._take(list(GOOD[:7]))


def altered(window: MainWindow) -> None:
    window.lock_now("")
    window.say_altered(
        (
            "Assay was changed after it was built: one of its files is not as built, _internal/llama_cpp/lib/libllama.so (changed).",
            "The doctor (assay doctor) reads all of them. Install Assay again from a bundle whose signature you checked.",
        )
    )


ADDED = (
    Added("graphics", "Graphics cards", "0.1.0+cuda13.llama0.3.36", 597 * 10**6, Path("/usr/lib/assay-addons/graphics"), own=False),
    Added("training", "Training", "0.0.9+174f3cfa", 688 * 10**6, Path("/home/ines/.local/share/assay/addons/training"), own=True, why="training: the add-on training is for version 0.0.9; here it is 0.1.0. Use the one made for this program."),
)  # fmt: skip


def _with(window: MainWindow, there: tuple[Added, ...]) -> AddonsCard:
    bridge.found = lambda job: there
    page = _page(window)
    page.addons.show_added(there)
    return page.addons


def added(window: MainWindow) -> None:
    _with(window, ADDED)
    _page(window)._done(Examination(findings=GOOD[:2]))


def adding(window: MainWindow) -> None:
    card = _with(window, ADDED)
    card.work.show()
    card.work.begin("Installing assay-graphics-0.1.0.addon", "Each file is compared with the signed list")
    card.work.say(224, 597, "MB")


def refused(window: MainWindow) -> None:
    sentence = "assay-graphics-0.1.0.addon: site/llama_backends/libcublasLt.so.13 isn't as its signed list says."
    _with(window, ())._fail(Failure(sentence, ValueError(), known=True))


def removing(window: MainWindow) -> None:
    _with(window, ADDED).ask_removal(ADDED[1])


SCENES: dict[str, Callable[[MainWindow], None]] = {
    "installation-good": found(GOOD),
    "installation-bad": found(BAD),
    "installation-running": running,
    "installation-altered": altered,
    "installation-addons": added,
    "installation-adding": adding,
    "installation-refused": refused,
    "installation-removing": removing,
}
