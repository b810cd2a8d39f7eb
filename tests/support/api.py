"""One API session, as a plain HTTP client has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.support.sse import Frame, Stream

API = "/api/v1"
TINY = {"width": 64, "height": 64, "durationSeconds": 0.5, "fps": 8}


def connect(base_url: str) -> httpx.Client:
    """A client without cookies or credentials; whatever hangs fails after 30 seconds."""
    return httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=30)


class Session:
    """A session by Bearer token. Paths are below `/api/v1`, but for those of `media`."""

    def __init__(self, base_url: str) -> None:
        self.http = connect(base_url)
        created = self.http.post(f"{API}/sessions").raise_for_status().json()
        self.id, self.token = created["sessionId"], created["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def moved(self, base_url: str) -> None:
        """The server now serves elsewhere."""
        self.http.base_url = base_url

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(API + path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.http.post(API + path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        return self.http.patch(API + path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.http.delete(API + path, **options)

    def try_submit(self, engine: str = "bars", *, headers: Any = None, settings: Any = None, **body: Any) -> Any:
        """POST a tiny request; the response as it is."""
        body = {"prompt": "a test", "engine": engine, "settings": TINY | (settings or {})} | body
        return self.post("/generations", json=body, headers=headers)

    def submit_all(self, engine: str = "bars", **options: Any) -> dict[str, Any]:
        """The project of a tiny request."""
        response = self.try_submit(engine, **options)
        assert response.status_code == 201, response.text
        return response.json()

    def submit(self, engine: str = "bars", **options: Any) -> dict[str, Any]:
        """The one generation of a tiny request."""
        return self.submit_all(engine, **options)["generations"][0]

    def read(self, generation_id: str) -> dict[str, Any]:
        """A generation as it is now."""
        return self.get(f"/generations/{generation_id}").raise_for_status().json()

    def try_upload(self, data: bytes, name: str = "picture.png", kind: str = "image/png") -> httpx.Response:
        """POST a file; the response as it is."""
        return self.post("/files", files={"file": (name, data, kind)})

    def upload(self, data: bytes) -> dict[str, Any]:
        """The file that an image becomes."""
        response = self.try_upload(data)
        assert response.status_code == 201, response.text
        return response.json()

    def cancel(self, generation_id: str) -> httpx.Response:
        return self.post(f"/generations/{generation_id}/cancel")

    @contextmanager
    def stream(self, path: str, last_event_id: int | None = None) -> Iterator[Stream]:
        """An open event stream."""
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        with self.http.stream("GET", API + path, headers=headers) as response:
            yield Stream(response)

    def follow(self, generation_id: str, last_event_id: int | None = None) -> list[Frame]:
        """The events of a generation until the server closes the stream."""
        with self.stream(f"/generations/{generation_id}/events", last_event_id) as stream:
            assert stream.response.status_code == 200, stream.response.read()
            return list(stream)

    def finish(self, generation_id: str) -> dict[str, Any]:
        """The generation once it has ended."""
        self.follow(generation_id)
        return self.read(generation_id)

    def wait_rendering(self, generation_id: str, step: int = 1) -> Frame:
        """The event that tells of a frame that was rendered."""
        with self.stream(f"/generations/{generation_id}/events") as stream:
            return stream.until(lambda frame: frame.data.get("stage") == "rendering" and frame.data["step"] >= step)

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
