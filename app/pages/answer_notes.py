"""What a person must know of an answer besides its words: what was searched for, what was left out or withdrawn, and what guards did."""

from app.bridge.finding import said as found_words
from app.bridge.screening import count, guarded
from core.assistants.records import Answer


def notes(answer: Answer) -> list[str]:
    """A sentence for each thing that isn't as usual; none where nothing is."""
    where = found_words(answer.question.finding)
    said = [f"Limited: {'; '.join(where)}."] if where else []
    if answer.question.assistant:
        said.append(f"Asked of the assistant {answer.question.assistant.replace('@', ', version ')}.")
    if answer.searched:
        said.append(f"Searched for: “{answer.searched}”. The question refers to what was asked before.")
    if answer.left_out:
        every = answer.left_out + len(answer.passages)
        said.append(f"{answer.left_out} of {every} passages didn’t fit into the model and were left out.")
    if answer.withdrawn:
        said.append("What the model wrote has no support in the documents and was withdrawn. The trace has it.")
    if answer.declined:
        said.append("The model found no answer; the reply for that is shown in place of its own words.")
    if answer.contract == "broken":
        said.append(f"The answer breaks the form that its prompt promises: {answer.broken.rstrip('.')}.")
    misquoted = sum(one.misquoted for one in answer.support)
    if misquoted:
        said.append(
            f"{count(misquoted, 'sentence')} {'quotes' if misquoted == 1 else 'quote'} words that stand in no passage."
        )
    return said + guarded(answer.guarded)
