"""The loss of preferences beside `trl`'s, of the same model, adapter and answers."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from core.training.worker import preferring
from tests.golden import preferences

pytestmark = pytest.mark.filterwarnings("default")  # those of other people's libraries
NEAR = 1e-5


def test_the_loss_is_that_of_trl(tmp_path: Path) -> None:
    import torch
    from peft import get_peft_model

    model = get_peft_model(preferences.base(tmp_path / "model"), preferences.lora())
    preferences.change(model)
    model.eval()
    kept = preferences.golden()
    assert {float(beta) for beta in kept} == set(preferences.BETAS)
    for beta, expected in kept.items():
        with torch.no_grad():
            sums = [
                preferring.loss(model, [(one,) for one in rows], float(beta), "cpu")[0] / len(rows)
                for rows in preferences.batches()
            ]
        assert [float(one) for one in sums] == pytest.approx(expected, abs=NEAR)
