"""Responses of the API."""

GENERATION = {
    "id": "gen_a",
    "type": "video",
    "status": "queued",
    "projectId": "prj_a",
    "requestId": "req_a",
    "fileId": None,
    "engine": "procedural",
    "engineVersion": "1",
    "prompt": "sea",
    "negativePrompt": "",
    "settings": {"fps": 24},
    "seed": 7,
    "recipeHash": "x",
    "progress": 0,
    "stage": "",
    "step": 0,
    "totalSteps": 0,
    "message": "",
    "estimated": False,
    "queuePosition": 1,
    "waitSeconds": 0,
    "etaSeconds": None,
    "attempt": 1,
    "previewUrl": None,
    "videoUrl": None,
    "posterUrl": None,
    "width": 512,
    "height": 288,
    "durationSeconds": 4,
    "fps": 24,
    "sizeBytes": None,
    "title": "",
    "favorite": False,
    "error": None,
    "startedAt": None,
    "createdAt": "2026-11-01T12:00:00Z",
    "updatedAt": "2026-11-01T12:00:00Z",
    "finishedAt": None,
    "expiresAt": None,
}


def generation_json(generation_id="gen_a", **changes):
    """A generation as JSON of the API."""
    return GENERATION | {"id": generation_id} | changes
