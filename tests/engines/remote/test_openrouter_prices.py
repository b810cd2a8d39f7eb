"""The price of a video on OpenRouter, from the prices of its list of models."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.providers.openrouter import MODEL, MODELS, OpenRouterStandIn
from tests.support.stand_in import serve
from videogen.engines.remote.openrouter_prices import ModelList, estimate, fetch_models

BY_NAME = {row["id"]: row for row in MODELS}


@pytest.mark.parametrize(
    ("model", "inputs", "usd"),
    [
        (MODEL, {"resolution": "1080p"}, 0.40 * 4),
        (MODEL, {"resolution": "720p"}, 0.10 * 4),
        (MODEL, {"resolution": "720p", "generate_audio": False}, 0.08 * 4),
        (MODEL, {"resolution": "1080p", "generate_audio": False}, 0.20 * 4),
        ("alibaba/wan-3.0", {"resolution": "480p"}, 0.05 * 4),
        ("alibaba/wan-3.0", {"size": "1280x720"}, 0.1 * 4),
        ("x-ai/grok-video", {"resolution": "720p"}, 0.03 * 4),
        ("x-ai/grok-video", {"resolution": "720p", "first_frame": "data:"}, 0.03 * 4 + 0.01),
        ("runway/gen-4.5", {}, 0.56),
        ("runway/gen-4.5", {"duration": 8}, 0.96),
    ],
)
def test_a_price_by_the_second(model: str, inputs: dict[str, Any], usd: float) -> None:
    assert estimate(BY_NAME[model], {"duration": 4, **inputs}) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("alibaba/wan-3.0", {"resolution": "1080p", "duration": 4}),
        ("alibaba/wan-3.0", {"resolution": "720p"}),
        ("bytedance/seedance-2.0", {"resolution": "720p", "duration": 4}),
        ("upscaler/only", {"duration": 4}),
        ("free/none", {"duration": 4}),
    ],
)
def test_a_price_that_is_not_known_is_not_made_up(model: str, inputs: dict[str, Any]) -> None:
    assert estimate(BY_NAME[model], inputs) is None


@pytest.mark.parametrize("text", ["", "free", "nan", "inf", "-1", None])
def test_a_price_that_is_no_number_is_left_out(text: str | None) -> None:
    assert estimate({"pricing_skus": {"duration_seconds": text}}, {"duration": 4}) is None


def test_nobody_waits_for_the_list() -> None:
    answered, asked = threading.Event(), threading.Event()

    def fetch(base_url: str) -> list[dict[str, Any]]:
        asked.set()
        assert answered.wait(30)
        return [{"id": "a/b", "base": base_url}]

    models = ModelList("http://there", fetch)
    assert models.find("a/b") is None
    assert asked.wait(30)
    assert models.find("a/b") is None, "it is not asked again meanwhile"
    threads = [one for one in threading.enumerate() if one.name == "openrouter-models"]
    assert len(threads) == 1
    answered.set()
    threads[0].join(30)
    assert models.find("a/b") == {"id": "a/b", "base": "http://there"}
    assert models.find("other") is None


def test_a_list_that_cannot_be_fetched_leaves_prices_unknown(caplog: pytest.LogCaptureFixture) -> None:
    def fetch(base_url: str) -> list[dict[str, Any]]:
        raise OSError("no network")

    models = ModelList("http://there", fetch)
    assert models.find("a/b", wait=True) is None
    assert models.find("a/b", wait=True) is None
    assert caplog.text.count("is not available: OSError") == 1


def test_the_list_comes_over_http() -> None:
    with serve(OpenRouterStandIn().app) as site:
        rows = fetch_models(f"{site.url}/api/v1")
        request = site.asked("GET")[0]
    assert [row["id"] for row in rows] == list(BY_NAME)
    assert "authorization" not in request.headers
