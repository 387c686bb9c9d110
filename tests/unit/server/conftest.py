"""A served vault on a real socket of the loopback address, with the built-in model and, where a test wants them, real tiny ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest

from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.jobs import Job
from core.models.records import FAKE, AddModel
from core.retrieval.service import Retrieval
from core.server.listening import listen
from core.server.service import Server
from core.vault import api_tokens
from core.vault.api_tokens import MakeToken
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.inference.test_conversation import with_template


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """The open vault of ines, with a collection; its embedder is the built-in model."""
    folder = tmp_path_factory.mktemp("served")
    vault = Vault.create(folder / "Study.assay", "ines", "Inês Duarte", PASSPHRASES["ines"], SCHEMA, kdf=weak_kdf)
    with Workbench(vault) as made:
        made.documents = Documents(vault, made.supervisor, made.engine, embedder=FAKE)
        made.retrieval = Retrieval(vault, made.supervisor, made.engine, made.documents)
        made.assistants._documents, made.assistants._retrieval = made.documents, made.retrieval
        (folder / "tower.md").write_text("# The tower\n\nThe tower has nine floors.\n\nThe gate closes at eight.\n")
        made.documents.add(AddDocuments(collection="towers", paths=(str(folder / "tower.md"),)), Job("Add"))
        yield made


@pytest.fixture(scope="module")
def stories(bench: Workbench, shared_data: Path) -> str:
    """A real Llama of 260,000 parameters, without a chat template."""
    path = shared_data / "models" / "stories260K" / "stories260K.gguf"
    return bench.models.add(AddModel(path=str(path), name="stories")).name


@pytest.fixture(scope="module")
def server(bench: Workbench) -> Iterator[Server]:
    made = Server(bench, listen(0))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def token(bench: Workbench) -> str:
    return api_tokens.make(bench.vault, MakeToken(name="tests", requests_per_minute=0))[1]


@pytest.fixture(scope="module")
def client(server: Server, token: str) -> Iterator[openai.OpenAI]:
    """The client that others wrote."""
    with openai.OpenAI(base_url=server.address, api_key=token, max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def http(server: Server, token: str) -> Iterator[httpx.Client]:
    """Requests as they are written here."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{server.port}", headers=headers, trust_env=False, timeout=120
    ) as made:
        yield made


@pytest.fixture
def post(http: httpx.Client) -> Callable[..., httpx.Response]:
    """`post("/v1/…", model=…)`: one call."""

    def send(path: str, **body: object) -> httpx.Response:
        return http.post(path, json=body, timeout=120)

    return send


@pytest.fixture(scope="module")
def templated(bench: Workbench, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same Llama with a chat template, which shows no tools."""
    path = shared_data / "models" / "stories260K" / "stories260K.gguf"
    copy = tmp_path_factory.mktemp("models") / "templated.gguf"
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
    copy.write_bytes(with_template(path.read_bytes(), path, template))
    return bench.models.add(AddModel(path=str(copy), name="templated")).name
