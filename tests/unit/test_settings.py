from pathlib import Path

import msgspec
import pytest

from core import settings
from core.errors import BadInput


def test_missing_settings_are_the_defaults(tmp_path: Path) -> None:
    assert settings.load(tmp_path) == settings.Settings()


def test_saved_settings_are_read_back(tmp_path: Path) -> None:
    wanted = msgspec.structs.replace(settings.Settings(), theme="dark", scale=1.5)
    settings.save(wanted, tmp_path)
    assert settings.load(tmp_path) == wanted


@pytest.mark.parametrize("text", ["{", '{"scale": 9}', '{"theme": "pink"}'])
def test_settings_that_do_not_fit_are_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(BadInput, match=r"settings\.json.*delete it for the defaults"):
        settings.load(tmp_path)


def test_every_setting_has_a_line_of_help() -> None:
    properties = msgspec.json.schema(settings.Settings)["$defs"]["Settings"]["properties"]
    assert [name for name, schema in properties.items() if not schema.get("description")] == ["version"]
