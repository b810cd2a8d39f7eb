"""Renders the posters of the gallery and of the presets, and writes docs/gallery.md: `make gallery`.

Posters are small WebP files in docs/gallery. The page shows the prompt and the seed of each; they give the same picture
on any machine."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from videogen.engines.base import Preset  # noqa: E402
from videogen.engines.procedural.language import parse_prompt  # noqa: E402
from videogen.engines.procedural.presets import PRESETS  # noqa: E402
from videogen.engines.procedural.scene import Scene, build_scene  # noqa: E402

FOLDER = ROOT / "docs" / "gallery"
SIZE = (960, 540)
POSTER_SIZE = (480, 270)
SECONDS = 4.0
MAX_BYTES = 25_000
PRESET_POSTER_SIZE = (320, 180)
MAX_PRESET_BYTES = 8_000


@dataclass(frozen=True)
class Poster:
    """One picture: its prompt, its seed, and the second of the video that it shows."""

    title: str
    prompt: str
    seed: int = 7
    second: float = 1.0


POSTERS = (
    Poster("Ocean", "ocean at sunset, pan right", 21),
    Poster("Mountains", "mountains by a lake at golden hour", 4),
    Poster("Forest", "misty forest at sunrise", 7),
    Poster("City", "neon city in the rain at night", 12),
    Poster("Desert", "desert dunes at sunset", 5),
    Poster("Space and planet", "a planet in space with a nebula", 3),
    Poster("Aurora", "green aurora over a lake at night", 11),
    Poster("Clouds", "clouds drifting over a meadow", 8),
    Poster("Rain", "heavy rain over a lake", 15),
    Poster("Snow", "snow falling in a winter forest", 7),
    Poster("Fire", "a campfire in a forest clearing at night", 2),
    Poster("Lightning storm", "lightning over the ocean at night", 9, 2.25),
    Poster("Sunrise", "sunrise over the ocean, a sailing boat", 30),
    Poster("Underwater", "underwater, fish and light beams", 6),
    Poster("Flowers", "a field of red poppies in the wind", 14),
    Poster("Waterfall", "a waterfall in the mountains", 10),
    Poster("River", "a river through a meadow in autumn", 17),
    Poster("Lantern festival", "lantern festival over a lake", 7),
    Poster("Fractal", "fractal", 4),
    Poster("Abstract flow", "colourful abstract silk", 13),
    Poster("Title", 'space, with the title "Beyond the stars"', 5, 2.0),
    Poster("Animal", "a horse walking at sunset", 22),
    Poster("Balloons", "three hot air balloons over mountains", 19),
    Poster("Lighthouse", "a lighthouse by the sea at dusk", 3),
    Poster("Layers together", "ocean and mountains under an aurora with lightning", 11, 0.25),
    Poster("Relations", "a red moon over two mountains", 7),
    Poster("Watercolour", "a sailing boat at sunset, watercolour", 26),
    Poster("Pixel art", "a city at night, pixel art", 12),
    Poster("Film noir", "a city in the rain, film noir", 8),
)


def main() -> None:
    """Render all, or those whose title contains one of the given words."""
    wanted = [word.lower() for word in sys.argv[1:]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for preset in PRESETS:
        if not wanted or any(word in preset.title.lower() for word in wanted):
            print(f"preset {preset.title}: {len(render_preset(preset))} bytes")
    for poster in POSTERS:
        if not wanted or any(word in poster.title.lower() for word in wanted):
            print(f"{poster.title}: {len(render(poster))} bytes")
    (ROOT / "docs" / "gallery.md").write_text(page())


def name(poster: Poster) -> str:
    """The name of the file."""
    return re.sub(r"[^a-z]+", "-", poster.title.lower()) + ".webp"


def render(poster: Poster) -> bytes:
    """Render one poster into its file.

    Raises:
        ValueError: the file would be larger than MAX_BYTES.
    """
    scene = build_scene(parse_prompt(poster.prompt), SIZE, poster.seed, SECONDS)
    return write_poster(scene, poster.second, FOLDER / name(poster), (POSTER_SIZE, MAX_BYTES))


def render_preset(preset: Preset) -> bytes:
    """Render the poster of a preset into the package.

    Raises:
        ValueError: the file would be larger than MAX_PRESET_BYTES.
    """
    scene = build_scene(parse_prompt(preset.prompt), SIZE, preset.settings["seed"], SECONDS)
    return write_poster(scene, 1.0, preset.poster, (PRESET_POSTER_SIZE, MAX_PRESET_BYTES))


def write_poster(scene: Scene, second: float, path: Path, limits: tuple[tuple[int, int], int]) -> bytes:
    """Write one frame of a scene as WebP. `limits`: width and height in pixels, and the largest number of bytes."""
    size, max_bytes = limits
    # Rendered larger and averaged: the grain, which is not visible in a moving video, disappears.
    picture = Image.fromarray(scene.frame(second)).resize(size, Image.Resampling.BOX)
    for quality in range(86, 20, -6):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= max_bytes:
            path.write_bytes(buffer.getvalue())
            return buffer.getvalue()
    raise ValueError(f"{path.name}: expected at most {max_bytes} bytes, got {buffer.tell()}")


def page() -> str:
    """The gallery as Markdown, two posters in a row."""
    lines = [
        "# Gallery",
        "",
        "Each poster is one frame of a four-second video by the built-in engine, with its prompt and its seed.",
        "`make gallery` makes them again.",
        "",
        "| | |",
        "|---|---|",
    ]
    cells = [
        f"![{poster.title}](gallery/{name(poster)})<br>**{poster.title}** · `{poster.prompt}` · seed {poster.seed}"
        for poster in POSTERS
    ]
    cells += [""] * (len(cells) % 2)
    lines += [f"| {left} | {right} |" for left, right in zip(cells[::2], cells[1::2], strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
