"""A generation's recipe as a new request."""

from __future__ import annotations

from videogen.schemas.generations import Generation, GenerationCreate


def again(generation: Generation, variations: object = 1) -> GenerationCreate:
    """A generation's recipe as a new request, whose seeds are drawn anew."""
    return GenerationCreate(
        type=generation.type,
        prompt=generation.prompt,
        negative_prompt=generation.negative_prompt,
        engine=generation.engine,
        settings={name: value for name, value in generation.settings.items() if name != "seed"},
        input_file_id=generation.input_file_id,
        last_frame_file_id=generation.last_frame_file_id,
        extend=generation.extends,
        variations=variations if type(variations) is int and 1 <= variations <= 8 else 1,
    )


def recipe_of(generation: Generation) -> GenerationCreate:
    """A generation's recipe as a request for the same once more, seed included."""
    sizes = {"width": generation.width, "height": generation.height, "seed": generation.seed}
    times = {"durationSeconds": generation.duration_seconds, "fps": generation.fps} if generation.fps else {}
    return again(generation).model_copy(update={"settings": generation.settings | sizes | times})
