"""The notebook runs from its first cell to its last, here on a small part of the data."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "post.ipynb"
ALL = "records = None  "
SOME = "records = 1500  "


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
def test_every_cell_runs_on_a_small_part() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    settings = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert ALL in settings.source, "the first cell says how many records to use"
    settings.source = settings.source.replace(ALL, SOME).replace("range(1, 7)", "range(1, 3)")
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()


def test_the_outputs_that_are_kept_are_of_all_records() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    text = str([cell.get("outputs") for cell in notebook.cells])
    assert "(60000, 10000)" in text
    assert "9,716 of 10,000 right" in text
    assert "Traceback" not in text
