"""A worker that tries the native libraries inside the sandbox, for the tests."""

import importlib
import tempfile
import threading
from pathlib import Path

from core.records import Record
from core.workers.serving import Call, Handler


class Use(Record, frozen=True, kw_only=True):
    library: str


class Used(Record, frozen=True, kw_only=True):
    result: str


def use(request: Use, call: Call) -> Used:
    module = importlib.import_module(request.library)
    match request.library:
        case "numpy":
            return Used(result=str(float((module.ones((300, 300)) @ module.ones((300, 300))).sum())))
        case "pymupdf":
            document = module.open()
            document.new_page().insert_text((72, 72), "inside")
            return Used(result=module.open(stream=document.tobytes())[0].get_text().strip())
        case "llama_cpp":
            return Used(result=str(module.llama_supports_mmap()))
        case "chromadb":
            settings = module.config.Settings(anonymized_telemetry=False)
            client = module.PersistentClient(tempfile.gettempdir(), settings=settings)
            collection = client.create_collection("vectors", embedding_function=None)
            collection.add(ids=["a", "b"], embeddings=[[1.0, 0.0], [0.0, 1.0]])
            found = collection.query(query_embeddings=[[0.9, 0.1]], n_results=1)
            return Used(result=found["ids"][0][0])
        case "torch":
            return Used(result=str(float((module.ones(200, 200) @ module.ones(200, 200)).sum())))
        case "threading":
            seen: list[int] = []
            threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return Used(result=str(sorted(seen)))
    return Used(result=str(Path(module.__file__).exists()))


def handlers() -> dict[type[Record], Handler]:
    return {Use: use}
