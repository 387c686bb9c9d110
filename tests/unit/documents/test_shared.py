"""The real inputs: each of them goes in, or is refused with a sentence; nothing hangs."""

from pathlib import Path

from tests.unit.documents.workspace import Workspace

SCANNED = "no text; these are scanned pages, and text recognition is not supported yet."
LOCKED = "encrypted; a password is needed to open it. Save a copy without one and add that."
REFUSED = {
    "office/MEDRPT-2024-PAT-3847_medical_report_scan.pdf": SCANNED,
    "office/expected_outputs/MEDRPT-2024-PAT-3847_medical_report_scan.md": "empty; there is nothing to read.",
    "pdf-samples/005-libreoffice-writer-password/libreoffice-writer-password.pdf": LOCKED,
    "pdf-samples/019-grayscale-image/grayscale-image.pdf": SCANNED,
    "pdf-samples/023-cmyk-image/cmyk-image.pdf": SCANNED,
    "hostile-pdf/corrupted.pdf": "damaged; no page of it can be read. Get another copy.",
    "hostile-pdf/encrypted.pdf": LOCKED,
    "hostile-pdf/encrypted_doc_no_id.pdf": SCANNED,
    **{f"hostile-pdf/{name}.pdf": LOCKED for name in ("aes-128", "aes-256", "aes-256-r6", "rc4-40", "rc4-128")},
    **{f"hostile-pdf/{name}-m.pdf": LOCKED for name in ("aes-128", "aes-256")},
    **{
        f"pdf-samples/007-imagemagick-images/imagemagick-{name}.pdf": SCANNED
        for name in ("ASCII85Decode", "CCITTFaxDecode", "images", "lzw")
    },
}


def test_every_real_file_goes_in_or_is_refused_with_its_reason(shared_data: Path, tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        refused: dict[str, str] = {}
        for name in ("nist-ai-rmf", "nist-800-63-3", "eu-law", "office", "pdf-samples", "hostile-pdf"):
            folder = shared_data / "documents" / name
            done = made.add(folder, collection=name)
            files = [
                path
                for path in folder.rglob("*")
                if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            ]
            assert done.added + done.unchanged + len(done.refused) == len(files)
            assert done.added == made.documents.collection(name).documents
            refused |= {f"{name}/{refusal.file}": refusal.reason for refusal in done.refused}
            assert all(refusal.reason.startswith(f"{refusal.file}: ") for refusal in done.refused)
    told = {file: reason.partition(": ")[2] for file, reason in refused.items()}
    unsupported = {file for file, reason in told.items() if "files are not supported yet" in reason}
    assert {Path(file).suffix for file in unsupported} == {
        *(".pptx", ".xlsx", ".xls", ".epub", ".msg", ".zip", ".xml", ".json", ".pdfminer")
    }
    assert {file: reason for file, reason in told.items() if file not in unsupported} == REFUSED
