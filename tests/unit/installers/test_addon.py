"""The builder of add-ons: what is required goes in as it was installed, what doesn't run stays out, and the program takes the file."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.installation import addons as installing
from core.jobs import Job
from core.workers import addons
from installers import addon
from installers.plan import BuildProblem
from tests import minisigning

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def installed(site: Path, name: str, files: dict[str, bytes], requires: tuple[str, ...] = ()) -> None:
    """A package as an installer leaves it."""
    lines = "".join(f"Requires-Dist: {one}\n" for one in requires)
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n{lines}"
    own = {**files, f"{name}-1.0.dist-info/METADATA": about.encode()}
    record = ""
    for place, content in own.items():
        path = site / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{place},sha256={digest},{len(content)}\n"
    record += f"{name}-1.0.dist-info/RECORD,,\n"
    (site / f"{name}-1.0.dist-info" / "RECORD").write_text(record)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    kept = {
        "learner/__init__.py": b"import helper\n",
        "learner/lib/core.so": bytes(1000),
        "learner-1.0.dist-info/LICENSE": b"MIT",
    }
    left = {
        "learner/core.h": b"//",
        "learner/tests/test_a.py": b"1",
        "learner/__init__.pyi": b"",
        "learner/lib/core.a": b"!<arch>",
    }
    installed(
        folder,
        "learner",
        {**kept, **left},
        ("helper>=1", "winhelper; sys_platform == 'never'", "extra-one; extra == 'all'", "hf-xet"),
    )
    installed(folder, "helper", {"helper.py": b"x = 1\n"})
    installed(folder, "unasked", {"unasked.py": b"x = 1\n"})
    return folder


@pytest.fixture(autouse=True)
def signing(monkeypatch: pytest.MonkeyPatch) -> None:
    def sign(file: Path, key: Path, comment: str) -> None:
        file.with_name(f"{file.name}.minisig").write_text(
            minisigning.signature(file.read_bytes(), KEY, comment=comment)
        )

    monkeypatch.setattr(addon, "sign", sign)


def made(site: Path, out: Path) -> Path:
    return addon.build(site, ("learner",), "training", addons.release(), out, Path("unused"), pinned=False)


def test_it_holds_what_is_required_and_runs_and_the_program_takes_it(site: Path, tmp_path: Path) -> None:
    file = made(site, tmp_path / "out")
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == [
            "addon.json",
            "addon.json.minisig",
            "site/helper-1.0.dist-info/METADATA",
            "site/helper.py",
            "site/learner-1.0.dist-info/LICENSE",
            "site/learner-1.0.dist-info/METADATA",
            "site/learner/__init__.py",
            "site/learner/lib/core.so",
        ]
    key = tmp_path / "key.pub"
    key.write_text(minisigning.public(KEY))
    taken = installing.install(file, Job("Installing"), key, tmp_path / "place")
    assert [(one.name, one.release, one.licence) for one in taken.packages] == [
        ("helper", "1.0", "MIT"),
        ("learner", "1.0", "MIT"),
    ]
    assert (tmp_path / "place" / "training" / "site" / "helper.py").read_bytes() == b"x = 1\n"


def test_the_same_packages_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    assert made(site, tmp_path / "a").read_bytes() == made(site, tmp_path / "b").read_bytes()


def test_a_package_that_was_changed_is_missing_or_carries_the_programs_name_stops_the_build(
    site: Path, tmp_path: Path
) -> None:
    (site / "helper.py").write_text("x = 2\n")
    with pytest.raises(BuildProblem, match="isn't as it was installed"):
        made(site, tmp_path)
    (site / "helper.py").unlink()
    with pytest.raises(BuildProblem, match="is missing"):
        made(site, tmp_path)
    with pytest.raises(BuildProblem, match="absent isn't in"):
        addon.closure(site, ("absent",))
    installed(site, "intruder", {"core/egress.py": b""})
    with pytest.raises(BuildProblem, match="a package of the program"):
        addon.build(site, ("intruder",), "training", "1", tmp_path, Path("unused"), pinned=False)


def test_versions_are_those_of_the_constraints(site: Path) -> None:
    with pytest.raises(BuildProblem, match="helper 1"):
        addon.check_pins(addon.closure(site, ("helper",)))
