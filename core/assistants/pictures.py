"""Pictures of a question: named in it by their digests, kept beside its trace, and seen by the model that answers."""

import dataclasses
import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from core.assistants.answering import Context
from core.assistants.records import QUOTES, Question
from core.errors import BadInput
from core.inference.pictures import check_pictures
from core.records import Digest
from core.vault.unit import Reader


def shown(question: Question, pictures: Sequence[bytes]) -> Question:
    """The question with these pictures. Raises `BadInput` where nobody could see them."""
    if not pictures:
        return replace(question, pictures=())
    if question.model == QUOTES:
        raise BadInput(source="The pictures", problem="quotes sees none. Choose a model that sees, or leave them out.")
    check_pictures(pictures)
    return replace(question, pictures=tuple(Digest(hashlib.sha256(data).hexdigest()) for data in pictures))


def seeing(context: Context, pictures: Sequence[bytes]) -> Context:
    """The same with the files of the question's pictures."""
    return dataclasses.replace(context, pictures=tuple(pictures))


def kept(reader: Reader, question: Question) -> tuple[bytes, ...]:
    """The pictures of a question that was answered, as they were shown. Raises `NotFound` where one was erased, `Damaged`."""
    return tuple(reader.blob(picture) for picture in question.pictures)
