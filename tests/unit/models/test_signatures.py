"""Signatures on model files: the reference library judges ours, and ours judges what it made; keys that a vault trusts."""

import json
import shutil
from pathlib import Path

import pytest

from core.errors import AlreadyExists, BadInput, Cancelled, Changed, Damaged, NotFound, Unsupported
from core.jobs import Job
from core.models import beside, manifests, signatures
from core.models.records import FAKE, AddModel, CheckModel, ExportModel, SignModel, TrustKey
from core.models.service import Models
from core.models.signatures import ModelSignatures
from core.trust.chains import OtherKey
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.vault import Vault

WORDS = "several words together"


@pytest.fixture
def signing(vault: Vault, models: Models) -> ModelSignatures:
    return ModelSignatures(vault, models)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    (folder / "deep").mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(bytes(3000))
    (folder / "adapter_config.json").write_text("{}")
    (folder / "deep" / "empty").write_bytes(b"")
    (folder / ".gitattributes").write_text("*")
    return folder


@pytest.fixture
def vectors(shared_data: Path) -> Path:
    return shared_data / "vectors" / "model-signing" / "scripts" / "tests"


def own_key(signer: Signer, tmp_path: Path) -> str:
    (tmp_path / "own.pem").write_text(signatures.public_key(signer))
    return str(tmp_path / "own.pem")


def theirs(path: Path, signature: str, key: str) -> None:
    """The reference library's verdict. Raises `ValueError`."""
    judge = pytest.importorskip("model_signing.verifying")
    judge.Config().use_elliptic_key_verifier(public_key=key).verify(path, signature)


def check(path: Path, key: str, **more: object) -> int:
    return beside.check(CheckModel(path=str(path), key=key, **more)).files  # type: ignore[arg-type]


def test_the_reference_library_verifies_what_is_signed_here(
    signing: ModelSignatures, vault: Vault, adapter: Path, stories: Path, tmp_path: Path
) -> None:
    with vault.confirm(WORDS) as signer:
        key = own_key(signer, tmp_path)
        folder = signing.sign(SignModel(path=str(adapter), reason="for the hospital"), signer)
        file = signing.sign(SignModel(path=str(stories)), signer)
    assert (folder.signature, file.signature) == (str(adapter / "model.sig"), f"{stories}.sig")
    assert folder.key == Path(key).read_text()
    for path, signed in ((adapter, folder), (stories, file)):
        theirs(path, signed.signature, key)
        assert check(path, key) == len(signed.files)
    (adapter / "adapter_config.json").write_text("{ }")
    with pytest.raises(ValueError, match="mismatch"):
        theirs(adapter, folder.signature, key)
    with pytest.raises(Damaged, match=r"the content differs from what was signed: adapter_config\.json"):
        check(adapter, key)


def test_an_exported_model_is_a_folder_that_the_reference_library_verifies(
    signing: ModelSignatures, models: Models, vault: Vault, stories: Path, tmp_path: Path
) -> None:
    added = models.add(AddModel(path=str(stories), name="tiny"))
    out = tmp_path / "out"
    with vault.confirm(WORDS) as signer:
        key = own_key(signer, tmp_path)
        signed = signing.export(ExportModel(name="tiny", folder=str(out)), signer)
        with pytest.raises(AlreadyExists):
            signing.export(ExportModel(name="tiny", folder=str(out)), signer)
        with pytest.raises(BadInput, match="built-in"):
            signing.export(ExportModel(name=FAKE, folder=str(tmp_path / "no")), signer)
    assert sorted(path.name for path in out.iterdir()) == ["model.sig", "stories.gguf"]
    assert [found.digest for found in signed.files] == [added.digest]
    theirs(out, signed.signature, key)
    with vault.read() as reader:
        assert reader.log(100)[-1].act == Act.SIGN_MODEL
        assert [given.meaning for given in reader.signatures(signed.record)] == ["released"]


def test_a_model_that_changed_is_not_exported(
    signing: ModelSignatures, models: Models, vault: Vault, stories: Path, tmp_path: Path
) -> None:
    models.add(AddModel(path=str(stories), name="tiny"))
    content = bytearray(stories.read_bytes())
    content[-1] ^= 1
    stories.write_bytes(content)
    stopped = Job("Copy")
    stopped.cancel()
    with vault.confirm(WORDS) as signer:
        with pytest.raises(Changed):
            signing.export(ExportModel(name="tiny", folder=str(tmp_path / "out")), signer)
        with pytest.raises(Cancelled):
            signing.export(ExportModel(name="tiny", folder=str(tmp_path / "out")), signer, stopped)
    assert not (tmp_path / "out").exists()


def test_what_the_reference_library_signs_verifies_here(
    models: Models, vectors: Path, adapter: Path, tmp_path: Path
) -> None:
    judge = pytest.importorskip("model_signing.signing")
    hashing = pytest.importorskip("model_signing.hashing")
    keys = vectors / "keys" / "certificate"
    for shards in (False, True):
        (adapter / "model.sig").unlink(missing_ok=True)
        taken = hashing.Config().set_ignored_paths(paths=[adapter / "model.sig"], ignore_git_paths=True)
        if shards:
            taken.use_shard_serialization(shard_size=1000)
        config = judge.Config().use_elliptic_key_signer(private_key=keys / "signing-key.pem").set_hashing_config(taken)
        config.sign(adapter, adapter / "model.sig")
        assert check(adapter, str(keys / "signing-key-pub.pem")) == (4 if shards else 3)
        content = (adapter / "adapter_model.safetensors").read_bytes()
        (adapter / "adapter_model.safetensors").write_bytes(content[:-1] + b"x")
        with pytest.raises(Damaged, match="adapter_model"):
            check(adapter, str(keys / "signing-key-pub.pem"))
        (adapter / "adapter_model.safetensors").write_bytes(content)


@pytest.mark.parametrize("form", ["elliptic-key", "certificate"])
def test_the_vectors_verify_and_every_change_of_their_files_shows(vectors: Path, form: str, tmp_path: Path) -> None:
    key = str(vectors / "keys" / "certificate" / ("ca-cert.pem" if form == "certificate" else "signing-key-pub.pem"))
    for folder in sorted(vectors.glob(f"v*-{form}")):
        copy = shutil.copytree(folder, tmp_path / folder.name)
        copy.chmod(0o755)
        for file in copy.iterdir():
            file.chmod(0o644)
        one = not (copy / "signme-2").exists()
        model = copy / "signme-1" if one else copy
        given = {"signature": str(copy / "model.sig"), "ignored": ("ignore-me",)}
        assert check(model, key, **given) == (1 if one else 2)
        (copy / "signme-1").write_bytes((copy / "signme-1").read_bytes() + b" ")
        with pytest.raises(Damaged, match="the content differs"):
            check(model, key, **given)
        if not one:
            shutil.copy(folder / "signme-1", copy / "signme-1")
            (copy / "more").write_text("more")
            with pytest.raises(Damaged, match="what wasn't signed is there: more"):
                check(model, key, **given)
            (copy / "more").unlink()
            (copy / "signme-2").unlink()
            with pytest.raises(Damaged, match="what was signed is missing: signme-2"):
                check(model, key, **given)


def test_links_are_not_followed_and_nothing_is_signed_twice(
    signing: ModelSignatures, vault: Vault, adapter: Path, tmp_path: Path
) -> None:
    with vault.confirm(WORDS) as signer:
        signing.sign(SignModel(path=str(adapter)), signer)
        with pytest.raises(AlreadyExists):
            signing.sign(SignModel(path=str(adapter)), signer)
        (tmp_path / "empty").mkdir()
        with pytest.raises(BadInput, match="an empty folder"):
            signing.sign(SignModel(path=str(tmp_path / "empty")), signer)
        (adapter / "link").symlink_to("/etc/passwd")
        with pytest.raises(BadInput, match="link is a link"):
            signing.sign(SignModel(path=str(adapter), out=str(tmp_path / "x.sig")), signer)
        with pytest.raises(BadInput, match="link is a link"):
            check(adapter, own_key(signer, tmp_path))


def test_a_signature_beside_a_model_is_verified_when_it_is_added(
    signing: ModelSignatures, models: Models, vault: Vault, stories: Path, tmp_path: Path
) -> None:
    with vault.confirm(WORDS) as signer:
        key = own_key(signer, tmp_path)
        signing.sign(SignModel(path=str(stories)), signer)
    unchecked = models.add(AddModel(path=str(stories), name="tiny"))
    assert (unchecked.signature, unchecked.signed_by[:8]) == ("unchecked", "the key ")
    by_key = models.add(AddModel(path=str(stories), key=key))
    assert (by_key.name, by_key.signature) == ("tiny", "valid")
    trusted = signing.trust(TrustKey(name="ana", path=key))
    assert signing.keys() == (trusted,)
    assert models.add(AddModel(path=str(stories))).signed_by == "ana"
    assert models.show("tiny").signed_by == "ana"
    with pytest.raises(AlreadyExists):
        signing.trust(TrustKey(name="again", path=key))
    signing.distrust("ana")
    with pytest.raises(NotFound):
        signing.distrust("ana")
    assert models.add(AddModel(path=str(stories))).signature == "unchecked"
    with vault.read() as reader:
        assert [entry.act for entry in reader.log(100) if entry.act == Act.TRUST_KEY] == [Act.TRUST_KEY] * 2


def test_a_wrong_signature_beside_a_model_refuses_it(
    signing: ModelSignatures, models: Models, vault: Vault, stories: Path, vectors: Path, tmp_path: Path
) -> None:
    other = str(vectors / "keys" / "certificate" / "signing-key-pub.pem")
    with pytest.raises(NotFound, match="signature beside"):
        models.add(AddModel(path=str(stories), key=other))
    with vault.confirm(WORDS) as signer:
        key = own_key(signer, tmp_path)
        signing.sign(SignModel(path=str(stories)), signer)
    with pytest.raises(OtherKey):
        models.add(AddModel(path=str(stories), key=other))
    signing.trust(TrustKey(name="ana", path=key))
    content = bytearray(stories.read_bytes())
    content[-1] ^= 1
    stories.write_bytes(content)
    with pytest.raises(Damaged, match=r"the content differs from what stories\.gguf\.sig signs"):
        models.add(AddModel(path=str(stories)))
    Path(f"{stories}.sig").write_bytes(b"{}")
    with pytest.raises(Damaged, match="not a signature bundle"):
        models.add(AddModel(path=str(stories)))
    assert models.list() == ()


def test_a_folders_signature_covers_the_model_in_it(
    signing: ModelSignatures, models: Models, vault: Vault, stories: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "README.md").write_text("read me")
    model = Path(shutil.copy(stories, folder / "tiny.gguf"))
    with vault.confirm(WORDS) as signer:
        signing.trust(TrustKey(name="ana", path=own_key(signer, tmp_path)))
        signing.sign(SignModel(path=str(folder)), signer)
    (folder / "README.md").write_text("something else")
    assert models.add(AddModel(path=str(model))).signature == "valid"
    models.remove("tiny")
    model.rename(folder / "other.gguf")
    with pytest.raises(Damaged, match=r"model\.sig signs other files"):
        models.add(AddModel(path=str(folder / "other.gguf")))


def test_a_keyless_signature_is_recorded_as_unchecked(models: Models, stories: Path, vectors: Path) -> None:
    shutil.copyfile(vectors / "v1.1.0-sigstore" / "model.sig", f"{stories}.sig")
    added = models.add(AddModel(path=str(stories)))
    assert added.signature == "unchecked"
    assert "keyless" in added.signed_by
    with pytest.raises(Unsupported, match="keyless"):
        models.add(AddModel(path=str(stories), key=str(vectors / "keys" / "certificate" / "signing-key-pub.pem")))


def test_a_list_in_pieces_covers_a_model_too(models: Models, stories: Path, vectors: Path, tmp_path: Path) -> None:
    judge = pytest.importorskip("model_signing.signing")
    hashing = pytest.importorskip("model_signing.hashing")
    keys = vectors / "keys" / "certificate"
    taken = hashing.Config().use_shard_serialization(shard_size=500_000)
    signer = judge.Config().use_elliptic_key_signer(private_key=keys / "signing-key.pem").set_hashing_config(taken)
    signer.sign(stories, Path(f"{stories}.sig"))
    key = str(keys / "signing-key-pub.pem")
    assert len(json.loads(Path(f"{stories}.sig").read_text())) == 3
    assert models.add(AddModel(path=str(stories), key=key)).signature == "valid"
    assert manifests.beside(stories) == Path(f"{stories}.sig")
