"""Checks calls of the page's handlers before Gradio runs them: Gradio answers a malformed one with 500."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import orjson
from gradio import Blocks
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import InvalidRequestError
from videogen.core.validation import invalid_request

RUN: Final = "/gradio_api/run/"
JOIN: Final = "/gradio_api/queue/join"
TOOLS: Final = "/gradio_api/mcp"


class Call(BaseModel):
    """The body of a call, as far as Gradio uses it. What values in `data` and `event_data` mean, the handlers check."""

    model_config = ConfigDict(strict=True)

    fn_index: int
    data: list[Any]
    event_data: Any = None
    session_hash: str | None = Field(default=None, max_length=64)
    trigger_id: int | None = None
    batched: Literal[False] | None = None
    simple_format: Literal[False] = False
    oauth_token: None = None


class GradioCalls:
    """ASGI middleware around the mounted Gradio app: passes on only what Gradio can run."""

    def __init__(self, app: ASGIApp, page: Blocks) -> None:
        self.app = app
        # Those without a function run in the browser alone; the others are tools, which are called over MCP.
        self._handlers = {
            number: handler
            for number, handler in page.fns.items()
            if handler.fn is not None and handler.api_visibility == "private"
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            InvalidRequestError: it is not the call of a handler of the page.
        """
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        is_tool = path.rstrip("/") == TOOLS and scope["method"] == "POST"
        if not (is_tool or path.startswith(RUN) or path.rstrip("/") == JOIN):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        if is_tool:
            _check_tool(body)
        else:
            self._check(body)
        await self.app(scope, replay(body, receive), send)

    def _check(self, body: bytes) -> None:
        try:
            # Stricter than Gradio's parser: no NaN, and no lone surrogates, which no answer could hold.
            call = Call.model_validate(_parsed(body))
        except ValidationError as problem:
            raise invalid_request(problem.errors(include_url=False)) from None
        handler = self._handlers.get(call.fn_index)
        if handler is None:
            raise InvalidRequestError("fn_index", "the number of a handler of the page", call.fn_index)
        if len(call.data) != len(handler.inputs):
            raise InvalidRequestError("data", f"{len(handler.inputs)} values", f"text of {len(call.data)} values")
        _check_values(call.data, handler.inputs)
        # A component's own event may carry a file, which no function of the page reads.
        if handler.collects_event_data and _names_file(call.event_data, {"path"}):
            raise InvalidRequestError("event_data", "values without files", "text of a file")


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise InvalidRequestError("body", "valid JSON", f"text of something else ({problem})") from None


def _check_tool(body: bytes) -> None:
    """Refuse an agent's call with a file in it. No tool takes one, and Gradio would copy or fetch any."""
    if _names_file(_parsed(body), {"path", "meta"}):
        raise InvalidRequestError("params", "values without files", "text of a file")


def _check_values(values: Sequence[Any], components: Sequence[Any]) -> None:
    """Refuse what a component's own model does not take, and files: Gradio would open them, or fetch them by address.

    The page names an upload by its path alone, which `Uploads.find` checks.
    """
    if _names_file(values, {"path", "meta"}):
        raise InvalidRequestError("data", "values without files", "text of a file")
    for value, component in zip(values, components, strict=True):
        model: type[BaseModel] | None = getattr(component, "data_model", None)
        if model is not None and value is not None:
            try:
                model.model_validate(value, context={"validate_meta": True})
            except ValidationError:
                expected = f"values that the component {component.get_block_name()} takes"
                raise InvalidRequestError("data", expected, "text of another") from None


def _names_file(value: Any, marks: set[str]) -> bool:
    """Whether there is an object with all of these keys in it, by which Gradio knows a file."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if marks <= part.keys():
                return True
            left += part.values()
        elif isinstance(part, list):
            left += part
    return False


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body once more, which was read whole, for the app behind a middleware."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return parts.pop() if parts else await receive()

    return receive_again
