"""What is said of documents that an older version of the program read: this one may read more of the same bytes, or otherwise."""

import shlex

from core.documents.records import Collection


def said(collection: Collection) -> str:
    """How many documents of a collection were, in a sentence; empty where there is none."""
    if not collection.older:
        return ""
    counted = "1 document was" if collection.older == 1 else f"{collection.older:,} documents were"
    return f"{counted} read by an older version of Assay; this one may read more of the same files."


def older(collection: Collection) -> str:
    """The same for the command line, with what reads them again; empty where there is none."""
    if not collection.older:
        return ""
    counted, them = (
        ("1 document was", "it") if collection.older == 1 else (f"{collection.older:,} documents were", "them")
    )
    return f"{counted} read by an older version; `assay documents rebuild {shlex.quote(collection.name)} --older` reads {them} again"
