"""A model as one HTML page: draw a digit, and the page reads it with the same weights.

Nothing is fetched and nothing installed: scripts, style and weights are all in the one file, and
its Content-Security-Policy forbids everything else. The parts lie in `page/`, as plain files that
a browser understands; here they are only put together. `network.js` does there what the layers'
`predict` does here, `glyph.js` what `inkdigits.glyph` does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

from inkdigits.errors import FileError, ModelError
from inkdigits.files import written_whole
from inkdigits.formats.model_file import LAYERS
from inkdigits.glyph import STROKE_WIDTHS
from inkdigits.model import Model
from inkdigits.version import __version__

__all__ = ["PAGE_SUFFIX", "check_page_replaceable", "page_of", "save_page"]

PAGE_SUFFIX = ".html"
PAGE_LIMIT = 4_000_000  # bytes: what a phone loads without thinking

FOLDER = Path(__file__).parent / "page"
GENERATOR = '<meta name="generator" content="inkdigits'  # how a page of ours is known


def save_page(model: Model, path: str | Path) -> int:
    """Writes a model as a page, whole or not at all; returns its size in bytes.

    Raises:
        FileError: the file cannot be written, or is something else than a page of ours.
        ModelError: the model is too large for a page, or has layers that no page knows.
    """
    path = Path(path)
    check_page_replaceable(path)
    content = page_of(model).encode()
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
    return len(content)


def check_page_replaceable(path: Path) -> None:
    """Whether a page may be written to `path`.

    Raises:
        FileError: the name is not a page's, or something else has it.
    """
    if path.suffix.lower() != PAGE_SUFFIX:
        raise FileError(
            f"expected a name that ends in {PAGE_SUFFIX}, got {path}: "
            f"call it {path.with_suffix(PAGE_SUFFIX).name if path.name else 'page.html'}"
        )
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(4096)
        if GENERATOR.encode() not in start:
            raise FileError(
                f"{path} exists and is no page of inkdigits, so it is not replaced: "
                "choose another name, or remove it first"
            )


def page_of(model: Model) -> str:
    """The text of the page, the same for the same model.

    Raises:
        ModelError: the model is too large for a page, or has layers that no page knows.
    """
    check_size(model)
    page = (FOLDER / "page.html").read_text(encoding="utf-8")
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def inlined(match: re.Match[str]) -> str:
        element = match["element"] or "style"
        text = "\n" + (FOLDER / (match["script"] or match["style"])).read_text(encoding="utf-8")
        assert f"</{element}" not in text, "it would end there"
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[element].append(f"'sha256-{digest}'")
        return f"<{element}>{text}</{element}>"

    page = re.sub(
        r'<link rel="stylesheet" href="(?P<style>\w+\.css)">'
        r'|<(?P<element>script) src="(?P<script>\w+\.js)"></script>',
        inlined,
        page,
    )
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    about = json.dumps(description(model), indent=1, ensure_ascii=False, allow_nan=False)
    for old, new in (
        ("default-src 'none'", policy),
        (GENERATOR, f"{GENERATOR} {__version__}"),
        # A recipe may have any name, "</script>" too.
        ('id="model">', 'id="model">' + about.replace("<", r"\u003c")),
        ('id="weights">', f'id="weights">{base64.b64encode(weights(model)).decode()}'),
    ):
        assert page.count(old) == 1, f"expected one place for {old}"
        page = page.replace(old, new)
    return page


def check_size(model: Model) -> None:
    """Whether the page stays within its limit, and has a function for every layer."""
    parts = sum(part.stat().st_size for part in FOLDER.iterdir())
    most = (PAGE_LIMIT - 2 * parts) * 3 // 16  # 4 bytes a number, 4 letters for 3 bytes
    numbers = model.network.parameters.size + model.network.state.size
    if numbers > most:
        raise ModelError(
            f"expected a model of at most {most:,} parameters and running statistics for a page "
            f"of {PAGE_LIMIT / 1e6:.0f} MB, got {numbers:,}: train a smaller one, "
            "as of the recipe standard"
        )
    for layer in model.network.layers:
        if type(layer) not in LAYERS.values():
            raise ModelError(
                f"expected layers of {', '.join(LAYERS)}, got {layer}: no page can compute it"
            )


def weights(model: Model) -> bytes:
    """Parameters and running statistics, layer by layer, as little-endian float32."""
    network = model.network
    views = zip(network.views(network.parameters), network.state_views(network.state), strict=True)
    arrays = [array for own in views for named in own for array in named.values()]
    return b"".join(array.astype("<f4").tobytes() for array in arrays)


def description(model: Model) -> dict[str, Any]:
    """All that the page knows of the model but the weights, as JSON has it."""
    network, card = model.network, model.card
    calibration = card.calibration or {}
    layers, shape = [], network.input_shape
    for layer in network.layers:
        shape = layer.output_shape(shape)
        arrays = {**layer.shapes, **layer.state_shapes}
        layers.append(
            {
                "name": type(layer).__name__,
                "options": vars(layer),
                "arrays": list(arrays.items()),  # in the order of `weights`
                "shape": shape,
                "parameters": sum(map(math.prod, layer.shapes.values())),
            }
        )
    return {
        "version": __version__,
        "recipe": card.recipe,
        "scores": [
            {"name": name, "accuracy": score["accuracy"], "total": score["total"]}
            for name, score in card.scores.items()
            if isinstance(score, dict) and {"accuracy", "total"} <= score.keys()
        ],
        "parameters": int(network.parameters.size),
        "tells": model.tells_digits,
        "temperature": calibration.get("temperature", 1.0),
        "threshold": calibration.get("threshold", 0.0),
        "strokeWidths": STROKE_WIDTHS,
        "inputShape": network.input_shape,
        "layers": layers,
    }
