"""Commands in a vault that is open in another process: what they do, print, ask and leave behind is what they would alone."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pytest

from core.cli import here, sharing
from core.cli.console import Console
from core.cli.main import LOCKED, execute, share
from core.cli.sharing import Listener, offered
from core.errors import BadInput, Unavailable
from core.jobs import Job
from core.vault import people
from core.vault.check import check
from core.vault.events import Changed
from core.vault.roles import Act
from core.workbench import Workbench
from tests.processes import until
from tests.unit.cli.people import Person

pytestmark = pytest.mark.skipif(not sharing.rendezvous.SUPPORTED, reason="a second process is refused on this system")
PROMPT = "messages:\n  - role: user\n    content: 'Question: {{ question }}'\n"
People = Callable[..., Person]


@pytest.fixture
def listener(bench: Workbench) -> Listener:
    made = share(bench)
    assert made is not None
    return made


@pytest.fixture
def serving(bench: Workbench) -> Iterator[Callable[..., Listener]]:
    """`serving(work)`: a listener whose only command is `work(console) -> int`."""
    made: list[Listener] = []

    def serve(work: Callable[[Console], int]) -> Listener:
        made.append(Listener(bench, lambda console, _: work(console)))
        return made[-1]

    yield serve
    for listener in made:
        listener.stop(LOCKED)


def entries(bench: Workbench) -> list[tuple[str, str, str]]:
    with bench.vault.read() as reader:
        return [(entry.user, entry.act, entry.about) for entry in reader.log(1000)]


def test_another_persons_command_is_theirs_in_the_log_and_the_first_sees_its_event(
    bench: Workbench, listener: Listener, person: People
) -> None:
    seen: list[Changed] = []
    bench.events.subscribe(seen.append)
    ines, tomas = person("ines"), person("tomas")
    (ines.folder / "p.yaml").write_text(PROMPT)
    assert ines("prompt", "save", "cite", "--file", "p.yaml", "--json") == 0
    before = len(entries(bench))
    assert tomas("prompt", "approve", "cite@1") == 0
    assert tomas.output.startswith("Signed cite@1 as approved: Tomás Vidal")
    assert tomas.asked == [
        "Passphrase of tomas",
        "Sign as Tomás Vidal. User name",
        "Sign as Tomás Vidal. Passphrase",
    ]
    assert {user for user, _, _ in entries(bench)[before:]} == {"tomas"}
    assert ("tomas", "sign-in", "joining") in entries(bench)
    assert [(event.act, event.about) for event in seen] == [(Act.SAVE_PROMPT, "cite"), (Act.APPROVE, "cite@1")]


def test_what_a_role_forbids_is_refused_there_too(bench: Workbench, listener: Listener, person: People) -> None:
    tomas = person("tomas")
    (tomas.folder / "p.yaml").write_text(PROMPT)
    assert tomas("prompt", "save", "cite", "--file", "p.yaml") == 4
    assert "Your roles here don't allow it" in tomas.errors
    assert ("tomas", "refusal", "save-prompt cite") in entries(bench)


def test_every_command_prints_the_same_bytes_as_alone(bench: Workbench, person: People) -> None:
    ines = person("ines")
    (ines.folder / "p.yaml").write_text(PROMPT)
    (ines.folder / "samples.jsonl").write_text('{"id": "a", "input": "Wer fährt? 文書", "target": "x"}\n')
    commands: list[tuple[str, ...]] = [
        ("prompt", "list"),
        ("prompt", "show", "cite"),
        ("prompt", "show", "absent"),
        ("prompt", "save", "cite", "--file", "p.yaml"),
        ("prompt", "save", "cite", "--file", "absent.yaml"),
        ("dataset", "add", "set", "samples.jsonl"),
        ("dataset", "show", "set"),
        ("dataset", "export", "set", "-o", "out.csv"),
        ("dataset", "export", "set", "-o", "absent/out.csv"),
        ("documents", "add", "sheets", "nothing.txt"),
        ("documents", "search", "sheets", "flash"),
        ("ask", "sheets", "Why?", "--prompt", "cite@1"),
        ("eval", "list"),
        ("eval", "show", "run-1"),
        ("model", "list"),
        ("user", "list"),
        ("user", "card", "eve"),
        ("pack", "trust", "-o", "trust.json"),
        ("vault", "check"),
    ]
    forms = [*commands, *((*command, "--json") for command in commands[::2])]

    def told() -> list[tuple[int, str, str]]:
        return [(ines(*form), ines.output, ines.errors) for form in forms]

    share(bench)
    ines("prompt", "save", "cite", "--file", "p.yaml")
    ines("dataset", "add", "set", "samples.jsonl")
    joined = told()
    bench.close()
    alone = told()
    assert [one for one, other in zip(zip(forms, joined, strict=True), alone, strict=True) if one[1] != other] == []
    assert (ines.folder / "out.csv").is_file()
    assert {code for code, _, _ in alone} >= {0, 2, 6, 8}


def test_a_wrong_passphrase_opens_nothing_and_is_logged(bench: Workbench, listener: Listener, person: People) -> None:
    tomas = person("tomas")
    tomas.known = "a loud ladder in october"
    assert tomas("prompt", "list") == 5
    assert tomas.output == ""
    assert "the user name or the passphrase is wrong" in tomas.errors
    eve = person("eve")
    eve.known = "who knows whose ladder"
    assert eve("prompt", "list") == 5
    assert until(lambda: ("ines", "sign-in-failed", "opening as tomas") in entries(bench))
    assert not [entry for entry in entries(bench) if entry[0] == "eve" or entry[1:] == ("sign-in", "joining")]
    codes = [tomas("prompt", "list") for _ in range(5)]
    assert (codes[0], codes[-1]) == (5, 4)
    assert "wrong answers in a row. Try again in" in tomas.errors
    tomas.known = person("tomas").known
    assert tomas("prompt", "list") == 4, "the right one waits too"


def test_questions_travel_to_the_person_and_their_answers_back(
    serving: Callable[..., Listener], person: People
) -> None:
    def work(console: Console) -> int:
        console.out(console.ask_passphrase("New passphrase", True, "a step") + "\n")
        console.out(f"{console.agrees('Really?', 'a step')} {console.agrees('Sure?', 'a step')}\n")
        try:
            console.ask_passphrase("Another", False, "Give a file.")
        except BadInput as error:
            console.err(f"{error}\n")
        try:
            console.agrees("Still?", "")
        except click.Abort:
            console.err("broken off\n")
        return 7

    serving(work)
    tomas = person("tomas")
    tomas.answers = [
        "früh am Morgen",
        "yes",
        "no",
        BadInput(source="p.txt", problem="the file is empty."),
        click.Abort(),
    ]
    assert tomas("prompt", "list") == 7
    assert tomas.output == "früh am Morgen\nTrue False\n"
    assert tomas.errors == "p.txt: the file is empty.\nbroken off\n"
    assert tomas.asked == ["Passphrase of tomas", "New passphrase", "Really?", "Sure?", "Another", "Still?"]


def test_long_output_and_names_that_are_no_text_arrive_whole(serving: Callable[..., Listener], person: People) -> None:
    text = "é文\n" * 600_000
    seen: list[Sequence[str]] = []

    def work(console: Console) -> int:
        seen.append(console.arguments)
        console.out(text)
        return 0

    serving(work)
    tomas = person("tomas")
    strange = b"a\xff.txt".decode("utf-8", "surrogateescape")
    assert tomas("documents", "list", strange) == 0
    assert tomas.output == text
    assert seen == [("documents", "list", strange)]


def test_progress_is_drawn_for_who_has_a_terminal(serving: Callable[..., Listener], person: People) -> None:
    drawn: list[bool] = []
    serving(lambda console: drawn.append(console.draws) or 0)
    person("tomas", draws=True)("prompt", "list")
    person("tomas")("prompt", "list")
    assert drawn == [True, False]


class Slow:
    """A command that works until it is stopped."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.finish = threading.Event()

    def __call__(self, console: Console) -> int:
        job = Job("Slow")
        console.watch(job)
        over = threading.Event()
        job.on_cancel(over.set)
        self.begun.release()
        while not (over.wait(0.02) or self.finish.is_set()):
            pass
        console.err("stopped\n")
        self.ended.release()
        return 130


def in_background(person: Person, *arguments: str) -> tuple[threading.Thread, list[int]]:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(person(*arguments)))
    thread.start()
    return thread, codes


def test_locking_stops_the_others_first_and_tells_them(bench: Workbench, person: People) -> None:
    slow = Slow()
    listener = Listener(bench, lambda console, _: slow(console))
    bench.before_closing(lambda: listener.stop(LOCKED))
    tomas = person("tomas")
    thread, codes = in_background(tomas, "prompt", "list")
    assert slow.begun.acquire(timeout=120)
    assert listener.commands() == 1
    bench.close()
    assert slow.ended.acquire(timeout=0), "the command had ended when the vault was closed"
    thread.join(120)
    assert codes == [16]
    assert "The vault was locked in the Assay that has it open. What was recorded until then is kept." in tomas.errors
    assert "stopped" not in tomas.output
    assert tomas("prompt", "list") == 0, "and the vault is free again"


def test_who_takes_no_output_does_not_keep_the_vault_open(
    bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that prints without end, for a process that doesn't read."""
    monkeypatch.setattr(sharing, "FAREWELL_SECONDS", 0.1)
    printing = threading.Event()

    def work(console: Console) -> int:
        try:
            while True:
                console.out("x" * 100_000)
                printing.set()
        except BrokenPipeError:
            return 0

    listener = Listener(bench, lambda console, _: work(console))
    tomas = person("tomas")
    held = threading.Event()
    tomas.out = lambda _: held.wait()  # type: ignore[method-assign]
    thread, codes = in_background(tomas, "prompt", "list")
    assert printing.wait(120)
    listener.stop(LOCKED)
    assert listener.commands() == 0
    held.set()
    thread.join(120)
    assert codes == [16]


def test_changed_rights_end_a_persons_command_and_nobody_elses(
    bench: Workbench, serving: Callable[..., Listener], person: People
) -> None:
    slow = Slow()
    listener = serving(slow)
    tomas, ines = person("tomas"), person("ines")
    his, hers = in_background(tomas, "prompt", "list"), in_background(ines, "prompt", "list")
    assert slow.begun.acquire(timeout=120)
    assert slow.begun.acquire(timeout=120)
    with bench.vault.confirm(ines.known) as signer:
        people.revoke(bench.vault, signer, "tomas", "left the company")
    his[0].join(120)
    assert his[1] == [4]
    assert "Your rights in it were changed" in tomas.errors
    assert slow.ended.acquire(timeout=120)
    assert hers[0].is_alive()
    assert listener.commands() >= 1
    listener.stop(LOCKED)
    hers[0].join(120)


def test_the_owner_of_the_open_vault_loses_a_role_that_somebody_who_joined_takes_away(
    bench: Workbench, serving: Callable[..., Listener], person: People
) -> None:
    ines = person("ines")

    def work(console: Console) -> int:
        with console.workbench(bench.vault.folder, "ines") as hers, hers.vault.confirm(ines.known) as signer:
            people.change_roles(hers.vault, signer, "tomas", ("reviewer", "admin"), "needed")
            people.change_roles(hers.vault, signer, "ines", ("auditor",), "needed")
        return 0

    serving(work)
    assert ines("prompt", "list") == 0
    assert bench.vault.user.roles == ("auditor",)


def test_a_command_that_shuts_out_the_owner_of_the_open_vault_comes_to_its_end_while_that_locks(
    bench: Workbench, person: People
) -> None:
    with bench.vault.confirm(person("ines").known) as signer:
        people.change_roles(bench.vault, signer, "tomas", ("reviewer", "admin"), "needed")
    locking: list[threading.Thread] = []

    def lock(changed: Changed) -> None:  # as a window does
        if (changed.act, changed.about) == (Act.REVOKE_USER, "ines"):
            locking.append(threading.Thread(target=bench.close))
            locking[0].start()
            locking[0].join(0.3)  # far enough to stop what it would stop

    bench.events.subscribe(lock)
    assert share(bench) is not None
    tomas = person("tomas")
    assert tomas("user", "revoke", "ines", "--reason", "left the firm") == 0, tomas.errors
    assert "ines" in tomas.output
    locking[0].join(120)
    assert not locking[0].is_alive()
    with Workbench.open(bench.vault.folder, "tomas", tomas.known) as again:
        assert check(again.vault) == ()
        assert [known.active for known in again.vault.users()] == [False, True]


def test_who_is_at_work_for_others_is_known_with_their_long_work(
    bench: Workbench, serving: Callable[..., Listener], person: People
) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def look() -> None:
        seen.extend((visitor.user, visitor.busy.title if visitor.busy else None) for visitor in bench.visitors())

    def work(console: Console) -> int:
        look()
        with console.workbench(bench.vault.folder, "tomas"):
            console.watch(Job("Backing up"))
            look()
        return 0

    assert bench.visitors() == ()
    serving(work)
    assert person("tomas")("prompt", "list") == 0
    assert seen == [("tomas", None), ("tomas", "Backing up")]
    assert bench.visitors() == ()


def test_so_many_commands_run_at_once(
    serving: Callable[..., Listener], person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_COMMANDS", 2)
    slow = Slow()
    listener = serving(slow)
    running = [in_background(person(name), "prompt", "list")[0] for name in ("tomas", "ines")]
    for _ in running:
        assert slow.begun.acquire(timeout=120)
    third = person("tomas")
    assert third("prompt", "list") == 16
    assert "2 commands are at work in this vault already" in third.errors
    listener.stop(LOCKED)
    for thread in running:
        thread.join(120)


def test_another_version_of_the_program_is_told(
    listener: Listener, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.cli.joining.program", lambda: "9.9.9/1")
    tomas = person("tomas")
    assert tomas("prompt", "list") == 16
    assert "another version of Assay (" in tomas.errors
    assert "9.9.9/1" in tomas.errors


def test_a_process_of_another_user_of_the_system_gets_no_word(bench: Workbench, person: People) -> None:
    listener = Listener(bench, execute, peer=lambda _: 12345)
    tomas = person("tomas")
    assert tomas("prompt", "list") == 12
    assert "open in another Assay" in tomas.errors
    listener.stop(LOCKED)


def test_another_vault_than_the_open_one_is_refused(
    bench: Workbench, listener: Listener, person: People, tmp_path: Path
) -> None:
    """A process that was let in for one vault names another in its command."""
    other = tmp_path / "Other.assay"
    other.mkdir()
    tomas = person("tomas")

    def named(console: Console, arguments: Sequence[str]) -> int:
        with pytest.raises(BadInput, match="another vault is open"), console.workbench(other, "tomas"):
            pass
        with (
            pytest.raises(Exception, match="The passphrase was that of tomas"),
            console.workbench(bench.vault.folder, "ines"),
        ):
            pass
        return 0

    listener.stop(LOCKED)
    again = Listener(bench, named)
    assert tomas("prompt", "list") == 0
    again.stop(LOCKED)


def test_a_short_command_lets_nobody_in(bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "AFTER", 1000.0)
    with offered(bench, execute, lambda _: None):
        assert person("tomas")("prompt", "list") == 12


def test_a_longer_command_waits_for_who_works_through_it_and_lets_nobody_else_in(
    bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "AFTER", 0.0)
    monkeypatch.setattr(here, "PATIENCE", 120.0)
    slow = Slow()
    told: list[int] = []
    waiting = threading.Event()

    def wait(count: int) -> None:
        told.append(count)
        waiting.set()

    def first() -> None:
        with offered(bench, lambda console, _: slow(console), wait):
            assert slow.begun.acquire(timeout=120)

    one = threading.Thread(target=first)
    one.start()
    thread, codes = in_background(person("tomas"), "prompt", "list")
    assert waiting.wait(120)
    monkeypatch.setattr(here, "PATIENCE", 0.2)
    assert person("ines")("prompt", "list") == 12
    assert (told, one.is_alive()) == ([1], True)
    slow.finish.set()
    thread.join(120)
    one.join(120)
    assert codes == [130]


def test_what_would_never_end_by_itself_is_ended_with_the_one_that_was_stopped(
    bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "AFTER", 0.0)
    monkeypatch.setattr(here, "PATIENCE", 120.0)
    staying, finite = Slow(), Slow()
    told: list[int] = []
    waiting = threading.Event()

    def run(console: Console, arguments: Sequence[str]) -> int:
        if arguments[0] == "serve":
            console.stays()
            return staying(console)
        return finite(console)

    def wait(count: int) -> None:
        told.append(count)
        waiting.set()

    def first() -> None:
        with offered(bench, run, wait, lambda: True):
            assert staying.begun.acquire(timeout=120)
            assert finite.begun.acquire(timeout=120)

    one = threading.Thread(target=first)
    one.start()
    serving, served = in_background(person("tomas"), "serve")
    importing, imported = in_background(person("ines"), "prompt", "list")
    serving.join(120)
    assert served == [Unavailable.exit_code]
    assert waiting.wait(120)
    assert (told, one.is_alive(), imported) == ([1], True, [])
    finite.finish.set()
    importing.join(120)
    one.join(120)
    assert imported == [130]


def test_a_system_without_such_sockets_refuses_as_ever(
    bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing.rendezvous, "SUPPORTED", False)
    assert share(bench) is None
    tomas = person("tomas")
    assert tomas("prompt", "list") == 12
    with pytest.raises(Unavailable, match="can't join on this system"):
        Listener(bench, execute)
