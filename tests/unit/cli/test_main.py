import pytest

from core.cli.main import reordered


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["ask", "law", "Who?", "--vault", "V", "--json"], ["--vault", "V", "--json", "ask", "law", "Who?"]),
        (["vault", "create", "V", "--user", "ines"], ["--user", "ines", "vault", "create", "V"]),
        (["--json", "model", "list", "--vault=V"], ["--json", "--vault=V", "model", "list"]),
        (["ask", "law", "--", "--json"], ["ask", "law", "--", "--json"]),
    ],
)
def test_global_options_are_accepted_anywhere(given: list[str], meant: list[str]) -> None:
    assert reordered(given) == meant
