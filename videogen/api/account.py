"""`/api/v1/account`: who has signed in, and a link with which a session signs in."""

from __future__ import annotations

from fastapi import APIRouter, Request

from videogen.core.errors import LimitExceededError, NotFoundError
from videogen.schemas.accounts import Account, LoginLink
from videogen.web.dependencies import PublicUrlDep, ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, AnyIdentityDep, TokenDep, ensure_stored

router = APIRouter(prefix="/api/v1/account", tags=["accounts"])


@router.get("", responses=READS)
def get_account(services: ServicesDep, identity: AnyIdentityDep) -> Account | None:
    """The account that the session belongs to; null for an anonymous one."""
    return services.accounts.of(identity.session_id)


@router.post("/link", status_code=201, responses=WRITES | documented(NotFoundError, LimitExceededError))
def create_link(
    services: ServicesDep, request: Request, token: TokenDep, identity: AnyIdentityDep, base: PublicUrlDep
) -> LoginLink:
    """Make a link that signs this session in, in any tab of a browser, within ten minutes and once.

    For pages in a frame, and for programs: the tab asks before it ties the session to the account. An earlier link of
    the session is no longer valid.
    """
    if services.accounts.provider is None:
        raise NotFoundError("Nobody can sign in here: this server has no provider (VIDEOGEN_OIDC_ISSUER).")
    return services.accounts.create_link(ensure_stored(request, token, identity), base)
