"""The page on roles says what the program does."""

from core.vault.matrix import PAGE, markdown
from core.vault.roles import ALLOWED, SAYS, Act, Role


def test_the_page_on_roles_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == markdown(), "run `python -m core.vault.matrix`"


def test_every_act_and_role_stands_on_it_as_the_matrix_has_it() -> None:
    rows = [line.split(" | ") for line in markdown().splitlines()]
    found = {row[0].removeprefix("| "): row[1:] for row in rows if row[0].removeprefix("| ") in set(Act)}
    assert set(found) == set(Act) == set(SAYS)
    for act in Act:
        assert {role for role, mark in zip(Role, found[act], strict=False) if mark == "yes"} == ALLOWED[act]
