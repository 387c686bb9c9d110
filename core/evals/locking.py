"""Whether a run's spec was approved before the run: what a vault may ask of runs that a release rests on, and of runs that are packed.

A signature counts as everywhere (`core.vault.judging`): it verifies, and is somebody's who didn't write the spec. What came first goes by the
audit log and not by clocks. As many people must have judged the spec as the policy asks for the label `approved`, one at least as approved.
"""

from core.errors import Refused
from core.evals.records import RunView, SpecVersion
from core.records import kind
from core.vault import cards, judging, policies
from core.vault.records import Signature
from core.vault.unit import Reader

STEP = "Have the spec approved by somebody else (`assay eval approve`), and run it again."


def check_packed(reader: Reader, view: RunView) -> None:
    """Return if the policy lets a run be packed. Raises `Refused`."""
    if problem := unlocked(reader, view):
        raise Refused(act=f"Pack {view.run.id}", reason=problem)


def unlocked(reader: Reader, view: RunView) -> str:
    """Why a run isn't one that a release may rest on, as the policy has it; "" where it is, or the policy doesn't ask."""
    if policies.current(reader).approved_specs == "no":
        return ""
    spec, name = view.run.spec, view.run.spec_reference
    began = cards.place(reader, view.digest)
    authors = reader.authors(spec)
    given: dict[str, set[str]] = {}
    for digest in reader.linked_from(spec):
        if reader.kind(digest) != kind(Signature) or cards.place(reader, digest) >= began:
            continue
        signature = reader.get(digest, Signature)
        counts = signature.subject == spec and signature.meaning in judging.JUDGING and signature.user not in authors
        if counts and not judging.problem(reader, digest, signature):
            given.setdefault(signature.user, set()).add(signature.meaning)
    needed = max(1, policies.current(reader).rule("approved").reviewers)
    if any("approved" in meanings for meanings in given.values()) and len(given) >= needed:
        return ""
    return f"The policy wants specs that are approved before they run, and {name} wasn't when {view.run.id} started. {STEP}"


def wanting(reader: Reader) -> str:
    """What is missing where no run of an approved spec speaks for a version; "" where the policy doesn't ask for one."""
    if policies.current(reader).approved_specs == "no":
        return ""
    return f"The policy wants a finished run of a spec that was approved before it ran, and there is none. {STEP}"


def foretold(reader: Reader, spec: SpecVersion, approved: bool) -> str:
    """What to say before a spec is run that no release may rest on; "" where there is nothing to say."""
    if approved or policies.current(reader).approved_specs == "no":
        return ""
    return f"Nobody has approved {spec.reference}, so by the policy no release can rest on this run, and it can't be packed."
