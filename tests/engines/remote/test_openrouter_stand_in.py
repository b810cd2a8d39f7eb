"""The stand-in of OpenRouter, driven by the SDK `openrouter`: it speaks what that SDK expects."""

from __future__ import annotations

import httpx
import pytest
from openrouter import OpenRouter, components, errors

from tests.support.providers.faults import Refusal
from tests.support.providers.openrouter import MODEL, MODELS, OpenRouterStandIn, error_body
from tests.support.stand_in import Served

PICTURE = "data:image/png;base64,iVBORw0KGgo="


def _client(url: str, key: str = "sk-or-right") -> OpenRouter:
    return OpenRouter(server_url=f"{url}/api/v1", api_key=key, retry_config=None)


def _create(client: OpenRouter, **values: object) -> components.VideoGenerationResponse:
    given = {"model": MODEL, "prompt": "a red kite", "duration": 1, "size": "64x48", **values}
    return client.video_generation.generate(**given)  # type: ignore[arg-type]


def _end(client: OpenRouter, name: str) -> components.VideoGenerationResponse:
    while (seen := client.video_generation.get_generation(job_id=name)).status in ("pending", "in_progress"):
        pass
    return seen


def test_a_job_is_followed_to_its_file_and_its_cost(served: Served) -> None:
    provider = OpenRouterStandIn()
    with served(provider.app) as site, _client(site.url) as client:
        made = _create(client)
        assert (made.status, made.polling_url) == ("pending", f"/api/v1/videos/{made.id}")
        seen = _end(client, made.id)
        assert (seen.id, seen.status) == (made.id, "completed")
        assert seen.usage is not None
        assert seen.usage.cost == 0.32
        content = client.video_generation.get_video_content(job_id=made.id).read()
        assert seen.urls is not None
        assert httpx.get(seen.urls[0]).content == content
        assert content[4:8] == b"ftyp"


def test_frames_are_pictures_with_a_type(served: Served) -> None:
    frames = [
        {"type": "image_url", "image_url": {"url": PICTURE}, "frame_type": kind}
        for kind in ("first_frame", "last_frame")
    ]
    provider = OpenRouterStandIn()
    with served(provider.app) as site, _client(site.url) as client:
        made = _create(client, frame_images=frames)
        assert provider.jobs[made.id].fields["frame_images"] == frames
        row = next(row for row in client.video_generation.list_videos_models().data if row.id == MODEL)
        assert row.supported_frame_images == ["first_frame", "last_frame"]


def test_the_list_of_models_has_what_each_can_do_and_costs(served: Served) -> None:
    with served(OpenRouterStandIn().app) as site, _client(site.url) as client:
        rows = client.video_generation.list_videos_models().data
        assert httpx.get(f"{site.url}/api/v1/videos/models").status_code == 200, "it needs no key"
    assert [row.id for row in rows] == [row["id"] for row in MODELS]
    assert rows[0].supported_durations == [4, 6, 8]
    assert rows[1].pricing_skus == {"duration_seconds_480p": "0.05", "duration_seconds_720p": "0.1"}


@pytest.mark.parametrize("end", ["failed", "cancelled", "expired"])
def test_a_job_that_does_not_end_well_says_why(served: Served, end: str) -> None:
    with served(OpenRouterStandIn(ends_as=end).app) as site, _client(site.url) as client:
        seen = _end(client, _create(client).id)
    assert (seen.status, seen.error, seen.urls) == (end, f"The job is {end}", None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, errors.PaymentRequiredResponseError),
        (403, errors.ForbiddenResponseError),
        (429, errors.TooManyRequestsResponseError),
        (503, errors.ServiceUnavailableResponseError),
    ],
)
def test_faults_are_what_the_sdk_takes_them_for(
    served: Served, status: int, kind: type[errors.OpenRouterError]
) -> None:
    provider = OpenRouterStandIn()
    provider.faults.on_submit = Refusal(status, error_body(status, "No"), {"Retry-After": "7"})
    with served(provider.app) as site, _client(site.url) as client:
        with pytest.raises(kind) as caught:
            _create(client)
        assert caught.value.headers["retry-after"] == "7"
        assert not provider.jobs
        assert _create(client).status == "pending"


def test_a_wrong_key_and_a_forgotten_job(served: Served) -> None:
    provider = OpenRouterStandIn()
    with served(provider.app) as site:
        with _client(site.url, "wrong") as client, pytest.raises(errors.UnauthorizedResponseError):
            _create(client)
        with _client(site.url) as client:
            name = _create(client).id
            with pytest.raises(errors.ConflictResponseError):
                client.video_generation.get_video_content(job_id=name)
            provider.faults.forgets = True
            with pytest.raises(errors.NotFoundResponseError):
                client.video_generation.get_generation(job_id=name)
