"""`assay eval gate` and `assay eval except`: whether a run lets its prompts be released, and who says so all the same."""

import click

from core.cli.session import Session, pass_session
from core.cli.signing import signing
from core.evals.gates import GateResult
from core.records import Digest, Json


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--variant", "variants", multiple=True, help="Judge this variant; all but the baseline without it.")
@click.option("--baseline", default="", help="Compare with another run: `run-2`, or `run-2:VARIANT`.")
@pass_session
def gate(session: Session, run: str, variants: tuple[str, ...], baseline: str) -> None:
    """Whether a finished run meets its spec's gate and criteria. Exit code 1 when it doesn't."""
    with session.workbench() as bench:
        found = bench.evals.gate(run, variants, baseline)
        passed = all(result.passed for result in found)
        session.output.result(
            {"run": found[0].run, "passed": passed, "variants": [gate_json(result) for result in found]},
            [line for result in found for line in gate_lines(result)],
        )
    if not passed:
        raise SystemExit(1)


@click.command("except")
@click.argument("run", metavar="RUN")
@click.option("--reason", required=True, help="Why the gate may be passed over; it is part of what is signed.")
@pass_session
def exception(session: Session, run: str, reason: str) -> None:
    """Sign that a run's prompts may be released although its gate isn't met. It takes two people, neither of them an author."""
    with session.workbench() as bench:
        view = bench.evals.show(run)
        name, digest = view.run.id, Digest(view.result_digest)
        lines = [line for result in bench.evals.gate(name) for line in gate_lines(result)]
        text = "\n".join((f"An exception to the gate of {name}, {view.run.spec_reference}", "", *lines))
        with signing(session, bench, f"{name}, an exception", digest, text, "approved", reason) as signer:
            signature = bench.evals.sign_exception(name, reason, signer)
        session.output.result(
            {"run": name, "name": signature.name, "time": signature.time, "reason": reason},
            [f"Signed an exception for {name}: {signature.name}, {signature.time}."],
        )


def gate_json(result: GateResult) -> Json:
    """The interface's form of a verdict."""
    return {
        "variant": result.variant,
        "baseline": result.baseline,
        "passed": result.passed,
        "lines": [{"line": v.line, "met": v.met, "reason": v.reason} for v in result.verdicts],
    }


def gate_lines(result: GateResult) -> list[str]:
    """A verdict, line by line."""
    head = f"{result.run}: {result.variant}: {'the gate is met' if result.passed else 'the gate is not met'}"
    against = [f"  compared with {result.baseline}"] if result.baseline else []
    return [
        head,
        *against,
        *(f"  {'met' if v.met else 'not met'}: {v.line} ({v.reason.rstrip('.')})" for v in result.verdicts),
    ]
