import pytest

from core import errors
from core.errors import AssayError


def every_kind() -> list[type[AssayError]]:
    found = [AssayError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


FIELDS = {
    field: field.upper()
    for field in (
        "act reason vault kind name step source problem line since package found known process worker safe path prompt answer "
        "window what"
    ).split()
}


@pytest.mark.parametrize("kind", every_kind())
def test_a_sentence_is_complete_and_survives_the_crossing(kind: type[AssayError]) -> None:
    error = kind(**FIELDS)
    assert "?" not in str(error)
    back = errors.from_fields(*errors.to_fields(error))
    assert type(back) is kind
    assert str(back) == str(error)


def test_each_kind_below_the_base_has_its_own_exit_code() -> None:
    direct = AssayError.__subclasses__()
    codes = [kind.exit_code for kind in direct]
    assert len(set(codes)) == len(codes)
    assert min(codes) > 3, "0 is done, 1 is no, 2 is usage, 3 is the base"


def test_an_unknown_kind_from_a_worker_is_a_plain_error() -> None:
    error = errors.from_fields("SystemExit", {"code": 1})
    assert type(error) is AssayError
    assert "unknown error" in str(error)


def test_a_missing_field_does_not_hide_the_error() -> None:
    assert str(errors.NotFound(kind="model", name="x")) == "There is no model x. ?"
