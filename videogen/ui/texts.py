"""Every sentence that the page says, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from videogen.client import ApiError, ClientError
from videogen.client.sending import is_loopback
from videogen.schemas import Generation, Status

TITLE: Final = "videogen"
DESCRIPTION: Final = "Generate videos whose work cannot be lost."

STATUS: Final[Mapping[Status, str]] = {
    Status.QUEUED: "Queued",
    Status.PROCESSING: "Rendering",
    Status.COMPLETED: "Finished",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}
CANCELLING: Final = "Cancelling"
MISSING: Final = "File gone"

FIELDS: Final[Mapping[str, str]] = {
    "prompt": "Prompt",
    "negativePrompt": "Negative prompt",
    "type": "Make",
    "variations": "Variations",
    "inputFileId": "Image",
    "engine": "Engine",
    "settings.width": "Width",
    "settings.height": "Height",
    "settings.durationSeconds": "Seconds",
    "settings.fps": "Frame rate",
    "settings.seed": "Seed",
}

PROMPT_LABEL: Final = "Prompt"
PROMPT_PLACEHOLDER: Final = "Ocean at sunset, calm sea, slow pan to the right"
NEGATIVE_LABEL: Final = "Negative prompt"
NEGATIVE_PLACEHOLDER: Final = "What to leave out, such as clouds"
SHAPE_LABEL: Final = "Shape"
DETAIL_LABEL: Final = "Detail"
SECONDS_LABEL: Final = "Seconds"
FPS_LABEL: Final = "Frame rate"
SEED_LABEL: Final = "Seed"
SEED_PLACEHOLDER: Final = "random"
ENGINE_LABEL: Final = "Engine"
GENERATE: Final = "Generate"
DICE: Final = "Roll"
SHAPES: Final[Mapping[str, str]] = {"16:9": "Wide", "1:1": "Square", "9:16": "Tall"}
DETAILS: Final[Mapping[str, str]] = {"288": "Draft", "480": "Standard", "720": "High", "1080": "Full"}

SEED_EXPECTED: Final = "Seed: expected a whole number of at most 18 digits, or nothing for a random one, got {got!r}."
PROMPT_MISSING: Final = "Prompt: expected a description of what should be seen, got nothing."
SIZE_EXPECTED: Final = "Size: expected one of the shapes and details above, got {got!r}."
UNREACHABLE: Final = "The video service does not answer. Trying again…"
NOT_SENT: Final = "The video service does not answer, so nothing was sent. Your text is safe: try again in a moment."
GONE: Final = "This generation is not there any more."
CANCELLED_DETAIL: Final = "You stopped this one. Retry starts it again with the same seed."
REVOKED: Final = "The code was revoked."
SCAN: Final = "Scan it with the other device's camera, or type the code there under “Open a code here”."
ONLY_HERE: Final = (
    "This address works on this computer only. On another device, open the page under this computer's address in your "
    "network, and type the code there under “Open a code here”."
)
STARTING: Final = "Starting"
FINISHED: Final = "Kept in your history"
UNDERSTOOD: Final = "Understood"
UNDERSTOOD_NOTHING: Final = (
    "Nothing that this engine can show was named, so the scene is abstract, drawn from the prompt's text."
)
NOT_UNDERSTOOD: Final = "Not understood"


def welcome(active: int) -> str:
    """The notice for someone who comes back while something is still being rendered."""
    if active == 0:
        return ""
    what = "1 generation is" if active == 1 else f"{active} generations are"
    return f"Welcome back: {what} still rendering."


def stage(generation: Generation) -> str:
    """What happens right now, in words."""
    match generation.status:
        case Status.QUEUED:
            if generation.stage == "waiting":
                return _sentence(generation.message)
            place = generation.queue_position
            if place is None:
                return "Waiting for a renderer"
            return "Next in line" if place <= 1 else f"Number {place} in line"
        case Status.PROCESSING:
            return _sentence(generation.message or generation.stage.replace("_", " ")) or STARTING
        case Status.FAILED:
            return _sentence(generation.error.message) if generation.error else STATUS[Status.FAILED]
        case Status.CANCELLED:
            return CANCELLED_DETAIL
        case Status.COMPLETED:
            return _sentence(generation.error.message) if generation.error else FINISHED


def step(generation: Generation) -> str:
    """How far the current stage is, as counted by the engine."""
    if generation.status is not Status.PROCESSING or generation.total_steps <= 0:
        return ""
    return f"{generation.step} / {generation.total_steps}"


def eta(generation: Generation) -> str:
    """How long it will take, or nothing where that is not known."""
    seconds = generation.eta_seconds
    if seconds is None or generation.status is not Status.PROCESSING:
        return ""
    mark = "about " if generation.estimated else ""
    return f"{mark}{duration(max(1.0, seconds))} left"


def attempt(generation: Generation) -> str:
    """A word on a render that was taken up again after its renderer was lost."""
    if generation.attempt <= 1 or generation.status.is_terminal:
        return ""
    return f"Taken up again, attempt {generation.attempt}"


def duration(seconds: float) -> str:
    """Seconds as people write them: `4 s`, `1 min 20 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return str(timedelta(seconds=whole))


def length(seconds: float) -> str:
    """The length of a video, to a tenth where that says more."""
    return f"{seconds:.1f}".removesuffix(".0") + " s"


def size(count: int | None) -> str:
    """Bytes as people write them."""
    if count is None:
        return ""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    return f"{count / 1_000_000:.1f} MB"


def transfer_hint(link: str) -> str:
    """What to do with the code; `link` is what its QR code holds."""
    return ONLY_HERE if is_loopback(link) else SCAN


def refusal(problem: ClientError) -> str:
    """Why the API did not do it, naming the fields as the form does."""
    if not isinstance(problem, ApiError):
        return NOT_SENT
    if problem.errors and all("expected" in error for error in problem.errors):
        return " ".join(
            f"{FIELDS.get(error.get('field', ''), error.get('field', ''))}: "
            f"expected {error['expected']}, got {error.get('got', 'nothing')}."
            for error in problem.errors
        )
    return problem.detail


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
