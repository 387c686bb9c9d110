"""`/v1/embeddings` and `/v1/rerank`: texts as vectors, and how well texts answer a query.

The second has no place in OpenAI's API; its form is the one that Jina, Cohere, vLLM and llama.cpp's server share.
"""

import base64
from typing import Any, Final

import numpy as np

from core.records import Json
from core.server import catalogue
from core.server.forms import Parameters, refuse
from core.server.running import Running

MOST_TEXTS: Final = 2048


def embeddings(running: Running, body: dict[str, Any]) -> dict[str, Json]:
    """Raises `BadInput`, `NotFound`, and what `Engine.embed` raises."""
    parameters = Parameters(body)
    model = _model(running, parameters)
    texts = parameters.texts("input", MOST_TEXTS)
    form = parameters.one_of("encoding_format", ("float", "base64"), "float")
    dimensions = parameters.take("dimensions", model.dimensions)
    parameters.finish()
    if not texts or not all(texts):
        refuse("input", "give texts, none of them empty.")
    if dimensions != model.dimensions:
        refuse(
            "dimensions", f"{model.name} makes vectors of {model.dimensions} numbers, and shorter ones would be worse."
        )
    engine, job = running.bench.engine, running.job
    vectors = engine.embed(texts, model.digest, job)
    running.prompt_tokens = sum(engine.count_tokens(texts, model.digest, job))
    data: list[Json] = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, form)}
        for index, vector in enumerate(vectors)
    ]
    return {"object": "list", "data": data, "model": running.model, "usage": _usage(running)}


def rerank(running: Running, body: dict[str, Any]) -> dict[str, Json]:
    """Raises `BadInput`, `NotFound`, and what `Engine.rerank` raises."""
    parameters = Parameters(body)
    model = _model(running, parameters)
    query = parameters.text("query")
    given = parameters.take("documents")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_TEXTS:
        refuse("documents", f"give a list of 1 to {MOST_TEXTS} texts.")
    texts = list(map(_document, given))
    most = parameters.whole("top_n", 1, MOST_TEXTS, len(texts))
    whole = parameters.flag("return_documents")
    parameters.finish()
    engine, job = running.bench.engine, running.job
    scores = engine.rerank(query, texts, model.digest, job)
    running.prompt_tokens = sum(engine.count_tokens([query, *texts], model.digest, job))
    order = sorted(range(len(texts)), key=lambda index: -scores[index])[:most]
    results: list[Json] = []
    for index in order:
        found: dict[str, Json] = {"index": index, "relevance_score": scores[index]}
        results.append(found | {"document": {"text": texts[index]}} if whole else found)
    head = running.head("list", "rerank")
    return {**head, "results": results, "usage": _usage(running)}


def _model(running: Running, parameters: Parameters) -> Any:
    running.model = parameters.text("model")
    model = catalogue.plain_model(catalogue.target(running.bench, running.model))
    running.model_digest = model.digest
    return model


def _document(given: Any) -> str:
    text = given.get("text") if isinstance(given, dict) and set(given) == {"text"} else given
    if not isinstance(text, str):
        refuse("documents", "each is a text.")
    return text


def _encoded(vector: Any, form: str) -> Json:
    if form == "base64":
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")
    numbers: list[Json] = [float(number) for number in vector]
    return numbers


def _usage(running: Running) -> dict[str, Json]:
    return {"prompt_tokens": running.prompt_tokens, "total_tokens": running.prompt_tokens}
