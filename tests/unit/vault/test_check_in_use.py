"""A vault that is in use is checked on connections that have been open for a while."""

from core.jobs import Job
from core.vault.check import check
from core.vault.roles import Act
from core.vault.vault import Vault


def test_a_check_between_changes_finds_nothing(vault: Vault) -> None:
    """The log's word index merges its parts every so often, behind the back of the connections that read."""
    for number in range(160):
        with vault.write(Act.ASK, about=f"thing {number}"):
            pass
        if number % 4 == 0:
            assert check(vault, Job("Check")) == ()
