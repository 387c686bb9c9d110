"""The real inputs: each of them goes in, or is refused with a sentence; nothing hangs.

Without text recognition, so that every machine does the same.
"""

from collections import Counter
from pathlib import Path

import pytest

from core.documents import formats, ocr
from tests.unit.documents.workspace import Workspace

PROVENANCE = ("PROVENANCE.txt", "LICENSE")
DAMAGED = "damaged; no page of it can be read. Get another copy."
REFUSED = {
    "office/MEDRPT-2024-PAT-3847_medical_report_scan.pdf": ocr.MISSING,
    "office/expected_outputs/MEDRPT-2024-PAT-3847_medical_report_scan.md": "empty; there is nothing to read.",
    "office/test_files.zip/test.jpg": ocr.MISSING,
    "pdf-samples/005-libreoffice-writer-password/libreoffice-writer-password.pdf": formats.LOCKED,
    "pdf-samples/019-grayscale-image/grayscale-image.pdf": ocr.MISSING,
    "pdf-samples/023-cmyk-image/cmyk-image.pdf": ocr.MISSING,
    "pdf-samples/025-attachment/with-attachment.pdf/image.png": ocr.MISSING,
    "hostile-pdf/corrupted.pdf": DAMAGED,
    "hostile-pdf/encrypted.pdf": formats.LOCKED,
    "hostile-pdf/encrypted_doc_no_id.pdf": ocr.MISSING,
    **{f"hostile-pdf/{name}.pdf": formats.LOCKED for name in ("aes-128", "aes-256", "aes-256-r6", "rc4-40", "rc4-128")},
    **{f"hostile-pdf/{name}-m.pdf": formats.LOCKED for name in ("aes-128", "aes-256")},
    **{
        f"pdf-samples/007-imagemagick-images/imagemagick-{name}.pdf": ocr.MISSING
        for name in ("ASCII85Decode", "CCITTFaxDecode", "images", "lzw")
    },
}


@pytest.fixture(autouse=True)
def no_recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find", lambda: None)


def add(made: Workspace, folder: Path, wanted: list[Path]) -> tuple[dict[str, str], Counter[str]]:
    """The refusals by file, and how many documents of each kind went in. Checks that each file's fate is known."""
    done = made.add(*wanted, collection=folder.name)
    held = [document for _, document in made.documents.list(folder.name)] if done.added else []
    assert done.added == len(held)
    assert all(refusal.reason.startswith(f"{refusal.file}: ") for refusal in done.refused)
    assert all(refusal.reason.endswith(".") for refusal in done.refused)
    told = {document.name for document in held} | {refusal.file for refusal in done.refused}
    missing = [path.name for path in wanted if path.is_file() and not any(path.name in name for name in told)]
    assert len(missing) <= done.unchanged
    refused = {refusal.file: refusal.reason.removeprefix(f"{refusal.file}: ") for refusal in done.refused}
    return refused, Counter(document.media for document in held)


def test_a_sample_of_every_kind_goes_in_or_is_refused_with_its_reason(shared_data: Path, tmp_path: Path) -> None:
    documents = shared_data / "documents"
    wanted = {
        "office": "test.pptx test.xlsx test.xls test.epub test_outlook_msg.msg test_files.zip test_rss.xml rlink.docx",
        "hostile-pdf": "corrupted.pdf aes-256.pdf encrypted_doc_no_id.pdf",
        "email": "attachment_emails/attachment_message_rfc822.eml multi_charset/japanese_attachment.eml rfc2822/example13.eml",
    }
    with Workspace(tmp_path) as made:
        refused: dict[str, str] = {}
        kinds: Counter[str] = Counter()
        for name, files in wanted.items():
            told, held = add(made, documents / name, [documents / name / file for file in files.split()])
            refused |= {f"{name}/{file}": reason for file, reason in told.items()}
            kinds += held
        expected = {file: reason for file, reason in REFUSED.items() if file in refused}
        assert refused == expected | {
            "email/attachment_message_rfc822.eml/ForwardedMessage.eml/broken.pdf": DAMAGED,
            "email/example13.eml": "not a mail; it has no headers. Check the file.",
        }
        assert set(expected) == {
            *("hostile-pdf/corrupted.pdf", "hostile-pdf/aes-256.pdf", "hostile-pdf/encrypted_doc_no_id.pdf"),
            "office/test_files.zip/test.jpg",
        }
        assert kinds[formats.EML] == 3
        assert "test_files.zip/test.pptx" in made.names("office")
        assert {formats.XLS, formats.PPTX, formats.EPUB, formats.MSG, formats.XML, formats.DOCX} <= set(kinds)


@pytest.mark.slow
def test_every_real_file_goes_in_or_is_refused_with_its_reason(shared_data: Path, tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        refused: dict[str, str] = {}
        for folder in sorted(path for path in (shared_data / "documents").iterdir() if path.is_dir()):
            told, _ = add(made, folder, [folder])
            refused |= {f"{folder.name}/{file}": reason for file, reason in told.items()}
    told = {file: reason for file, reason in refused.items() if not file.startswith(("email/", "ocr/"))}
    odd = {file for file, reason in told.items() if "files are not supported yet" in reason}
    assert {Path(file).suffix for file in odd} == {".pdfminer"}
    assert {file: reason for file, reason in told.items() if file not in odd} == REFUSED
    scans = {reason for file, reason in refused.items() if file.startswith("ocr/") and file.endswith(".pdf")}
    assert scans == {ocr.MISSING}
    mails = {file: reason for file, reason in refused.items() if file.startswith("email/")}
    whole = {file for file in mails if file.count(".eml") == 1 and file.endswith(".eml")}
    assert whole == {"email/rfc2822/example13.eml"}
