"""The blocking client: the calls of `AsyncClient`, run in an event loop of its own thread."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, closing, suppress
from functools import partial, wraps
from threading import Lock
from time import monotonic
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx
from anyio import CancelScope
from anyio.from_thread import BlockingPortal, start_blocking_portal

from videogen.client.client import AsyncClient
from videogen.client.errors import ClientError, WaitTimeout, result_of
from videogen.client.watch_state import Watched, needs_attention
from videogen.schemas.generations import Generation

P = ParamSpec("P")
T = TypeVar("T")


def blocking(function: Callable[Concatenate[AsyncClient, P], Awaitable[T]]) -> Callable[Concatenate[Client, P], T]:
    """Make a blocking function for `Client` of a coroutine function for `AsyncClient`."""

    @wraps(function)
    def call(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._loop.run(partial(function, client._async, *args, **kwargs))

    return call


def _blocking_iterator(
    function: Callable[Concatenate[AsyncClient, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[Client, P], Generator[T, None, None]]:
    """Make a generator method for `Client` of an asynchronous one of `AsyncClient`."""

    @wraps(function)
    def call(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return client._loop.iterate(function(client._async, *args, **kwargs))

    return call


class Client:
    """One session's view of the API, for code without asyncio. See `AsyncClient` for what each method does.

    Threads may share a client. Close it at the end, or use it in a `with` statement.
    """

    def __init__(
        self,
        base_url: str | Callable[[], str],
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Make a client; it connects on its first call. The arguments are those of `AsyncClient`."""
        self._async = AsyncClient(base_url, token, transport)
        self._loop = _EventLoopThread()

    @property
    def token(self) -> str | None:
        """The session's token."""
        return self._async.token

    def as_session(self, token: str | None, headers: Callable[[], Mapping[str, str]] | None = None) -> Self:
        """The same API and connections, with the session of `token`; see `AsyncClient.as_session`."""
        other = type(self).__new__(type(self))
        other._async, other._loop = self._async.as_session(token, headers), self._loop
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, those of every `as_session` too. Calls that still run end with an error."""
        self._loop.stop(self._async.aclose)

    def wait(
        self,
        generation: Generation | str,
        timeout: float | None = None,
        on_event: Callable[[Watched], None] | None = None,
    ) -> Generation:
        """See `AsyncClient.wait`. `on_event` is called in the thread that waits."""
        generation_id = generation if isinstance(generation, str) else generation.id
        deadline = None if timeout is None else monotonic() + timeout
        with closing(self._loop.iterate(self._async.watch(generation=generation_id), deadline)) as items:
            for item in items:
                if on_event is not None:
                    on_event(item)
                if needs_attention(item) and (current := self.get(generation_id)).needs_attention:
                    return result_of(current)
        return result_of(self.get(generation_id))

    health = blocking(AsyncClient.health)
    create_session = blocking(AsyncClient.create_session)
    submit = blocking(AsyncClient.submit)
    generate = blocking(AsyncClient.generate)
    get = blocking(AsyncClient.get)
    log = blocking(AsyncClient.log)
    list = blocking(AsyncClient.list)
    generations = _blocking_iterator(AsyncClient.generations)
    patch = blocking(AsyncClient.patch)
    cancel = blocking(AsyncClient.cancel)
    move = blocking(AsyncClient.move)
    queue = blocking(AsyncClient.queue)
    pause_queue = blocking(AsyncClient.pause_queue)
    resume_queue = blocking(AsyncClient.resume_queue)
    edit = blocking(AsyncClient.edit)
    retry = blocking(AsyncClient.retry)
    remake_shot = blocking(AsyncClient.remake_shot)
    resolve = blocking(AsyncClient.resolve)
    delete = blocking(AsyncClient.delete)
    keep = blocking(AsyncClient.keep)
    note_use = blocking(AsyncClient.note_use)
    retention = blocking(AsyncClient.retention)
    quota = blocking(AsyncClient.quota)
    trash = blocking(AsyncClient.trash)
    restore = blocking(AsyncClient.restore)
    list_trash = blocking(AsyncClient.list_trash)
    ids = _blocking_iterator(AsyncClient.ids)
    zip_link = blocking(AsyncClient.zip_link)
    zip = blocking(AsyncClient.zip)
    engines = blocking(AsyncClient.engines)
    explain = blocking(AsyncClient.explain)
    upload = blocking(AsyncClient.upload)
    read_settings = blocking(AsyncClient.read_settings)
    file = blocking(AsyncClient.file)
    delete_file = blocking(AsyncClient.delete_file)
    share = blocking(AsyncClient.share)
    shares = blocking(AsyncClient.shares)
    unshare = blocking(AsyncClient.unshare)
    transfer = blocking(AsyncClient.transfer)
    revoke_transfer = blocking(AsyncClient.revoke_transfer)
    claim = blocking(AsyncClient.claim)
    add_webhook = blocking(AsyncClient.add_webhook)
    webhooks = blocking(AsyncClient.webhooks)
    remove_webhook = blocking(AsyncClient.remove_webhook)
    test_webhook = blocking(AsyncClient.test_webhook)
    admin_overview = blocking(AsyncClient.admin_overview)
    admin_hold = blocking(AsyncClient.admin_hold)
    admin_cancel = blocking(AsyncClient.admin_cancel)
    admin_settle = blocking(AsyncClient.admin_settle)
    admin_log = blocking(AsyncClient.admin_log)
    admin_ban = blocking(AsyncClient.admin_ban)
    admin_audit = blocking(AsyncClient.admin_audit)
    account = blocking(AsyncClient.account)
    login_link = blocking(AsyncClient.login_link)
    log_out = blocking(AsyncClient.log_out)
    devices = blocking(AsyncClient.devices)
    sign_out = blocking(AsyncClient.sign_out)
    sign_out_others = blocking(AsyncClient.sign_out_others)
    export = blocking(AsyncClient.export)
    exports = blocking(AsyncClient.exports)
    get_export = blocking(AsyncClient.get_export)
    delete_export = blocking(AsyncClient.delete_export)
    watch_export = _blocking_iterator(AsyncClient.watch_export)
    wait_export = blocking(AsyncClient.wait_export)
    download_export = blocking(AsyncClient.download_export)
    export_zip = blocking(AsyncClient.export_zip)
    export_link = blocking(AsyncClient.export_link)
    import_link = blocking(AsyncClient.import_link)
    import_zip = blocking(AsyncClient.import_zip)
    watch = _blocking_iterator(AsyncClient.watch)
    download = blocking(AsyncClient.download)
    raw = blocking(AsyncClient.raw)


class _EventLoopThread:
    """An event loop in a thread. The first call starts it; `stop`, garbage collection or the end of Python ends it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._portal: BlockingPortal | None = None
        self._end: Callable[[], object] | None = None

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function in the loop and return its result. An interrupt (Ctrl-C) cancels it.

        Raises:
            ClientError: `stop` was called meanwhile.
        """
        return _run(self._start(), call)

    def iterate(self, items: AsyncGenerator[T, None], deadline: float | None = None) -> Generator[T, None, None]:
        """Yield what an asynchronous generator yields.

        Raises:
            WaitTimeout: `deadline`, a time of `time.monotonic`, has passed.
            ClientError: `stop` was called meanwhile.
        """
        portal = self._start()
        while True:
            try:
                left = None if deadline is None else max(0.0, deadline - monotonic())
                item = _run(portal, items.__anext__, left)
            except StopAsyncIteration:
                return
            except TimeoutError as problem:
                raise WaitTimeout from problem
            try:
                yield item
            except BaseException:
                # The caller stopped early. Where the loop has ended, it has closed the generator.
                with suppress(ClientError):
                    _run(portal, items.aclose)
                raise

    def stop(self, last: Callable[[], Awaitable[None]]) -> None:
        """Run `last`, cancel what still runs, and end the thread. A later call starts a new one."""
        with self._lock:
            portal, end = self._portal, self._end
            self._portal = self._end = None
        if portal is None or end is None:
            return
        try:
            portal.call(last)
        finally:
            end()

    def _start(self) -> BlockingPortal:
        with self._lock:
            if self._portal is None:
                context = start_blocking_portal(name="videogen-client")
                self._portal = context.__enter__()
                # Without this, an open client would block the end of Python: the portal waits for its dead thread.
                self._end = weakref.finalize(self, _end_loop, self._portal, context)
            return self._portal


def _end_loop(portal: BlockingPortal, context: AbstractContextManager[BlockingPortal]) -> None:
    with suppress(RuntimeError):
        portal.call(portal.stop, True)
    context.__exit__(None, None, None)


def _run(portal: BlockingPortal, call: Callable[[], Awaitable[T]], timeout: float | None = None) -> T:
    scopes: list[CancelScope] = []

    async def cancellable() -> T:
        # An interrupt may come before the caller has the future: the scope, not the future, cancels the call.
        with CancelScope() as scope:
            scopes.append(scope)
            return await call()
        raise CancelledError

    try:
        future = portal.start_task_soon(cancellable)
    except RuntimeError as problem:
        raise ClientError("The client was closed, or this is the thread of its event loop.") from problem
    except BaseException:
        _cancel(portal, scopes)
        raise
    try:
        return future.result(timeout)
    except CancelledError as problem:
        raise ClientError("The client was closed during this call.") from problem
    except BaseException:
        _cancel(portal, scopes)
        raise


def _cancel(portal: BlockingPortal, scopes: list[CancelScope]) -> None:
    with suppress(RuntimeError):
        for scope in scopes:
            portal.start_task_soon(scope.cancel)
