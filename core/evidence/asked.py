"""What an auditor asked to find in a release: a nonce that nobody could have signed before, so that an older pack can't be passed off as new."""

import msgspec

from core.evidence.records import Check, Verdict

MISSING = "the release doesn't hold the nonce: this isn't the pack that was asked for."


def with_nonce(verdict: Verdict, nonce: str) -> Verdict:
    """The verdict for somebody who asked for `nonce`: invalid where the release doesn't hold it. The same where nothing was asked."""
    if not nonce:
        return verdict
    if nonce == verdict.nonce:
        held = Check(name="Made for you", state="ok", detail="The release holds the nonce that you asked for.")
        return msgspec.structs.replace(verdict, checks=(*verdict.checks, held))
    return msgspec.structs.replace(
        verdict,
        verdict="invalid",
        reasons=(*verdict.reasons, MISSING),
        checks=(*verdict.checks, Check(name="Made for you", state="failed", detail=MISSING)),
    )
