"""Everything in a pack that is there to be read and follows from its records: reports, lineage, model cards, the datasheet.

They are made from rows alone, so whoever has a pack, also a redacted one, can make them again from what is open, and the same rows give
the same bytes: no clock, no chance.
"""

import msgspec

from core.evidence import (
    adapter_card,
    datasheet,
    drawing,
    lineage,
    model_card,
    opened,
    origins,
    picture,
    report,
    report_html,
    report_pdf,
)
from core.evidence.lineage import Rows


def renderings(rows: Rows, title: str) -> dict[str, bytes]:
    """Each rendering by its name in a pack."""
    words = report.report(rows, title)
    texts = {
        opened.REPORT: report_html.render(words),
        opened.LINEAGE_PICTURE: drawing.svg(picture.lineage(rows), "lineage", alone=True),
        opened.DATASHEET: datasheet.datasheet(rows),
        **{f"datasheets/{digest}.md": sheet for digest, sheet in datasheet.of_trainings(rows).items()},
        **{f"model-cards/{row.digest}.md": model_card.card(row, rows) for row in rows["model"]},
        **{f"model-cards/{one.result.digest}.md": adapter_card.card(one, rows) for one in origins.trainings(rows)},
    }
    return {
        opened.REPORT_PDF: report_pdf.render(words),
        opened.LINEAGE: msgspec.json.encode(lineage.lineage(rows), order="sorted"),
        **{name: text.encode("utf-8") for name, text in texts.items()},
    }
