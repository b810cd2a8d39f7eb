"""What a tab shows when it is opened: what its address names, else what its session had last."""

from __future__ import annotations

from contextlib import suppress

from videogen.client import ApiError
from videogen.schemas.generations import GenerationPage
from videogen.ui.address import Address
from videogen.ui.history import open_history
from videogen.ui.tab import Notice, Tab


async def read_address(tab: Tab, address: Address, newest: GenerationPage) -> None:
    """Read what an address names: a generation, a page of the history.

    Args:
        tab: of which nothing is known yet.
        address: as it was opened.
        newest: the session's newest generations.

    Raises:
        ClientError: the API does not answer.
    """
    tab.arrival = address
    tab.board.put_page(newest)
    await open_history(tab.client, tab.history, address, newest)
    if address.generation and tab.board.get(address.generation) is None:
        with suppress(ApiError):
            await tab.fetch(address.generation)


def show_address(tab: Tab, otherwise: str = "") -> None:
    """Put on the stage what the address names; one that is not there is said to be.

    Args:
        tab: after `read_address`.
        otherwise: what to show where it names nothing; without it, what still renders, else the newest.
    """
    tab.selections_before = tab.board.selections
    wanted = tab.arrival.generation
    if not wanted and tab.board.get(otherwise) is None:
        tab.board.select_on_arrival(None)
        return
    found = tab.board.get(wanted or otherwise)
    tab.board.show(found.id if found else None)
    if found is None:
        tab.notice = Notice(tab.texts.gettext("notice.not_yours"), "warning")
