"""The web door: the public status page, the private pages, health and metrics."""

from bot.inbound.request_ids import REQUEST_ID
from bot.inbound.web.access import ApiTokens, LoginLinks, Sessions, Viewer, session_secret
from bot.inbound.web.health import HealthCheck, HealthStatus
from bot.inbound.web.incidents import Links
from bot.inbound.web.routes import Access, add_routes
from bot.inbound.web.runbooks import RunbookSource

__all__ = [
    "REQUEST_ID",
    "Access",
    "ApiTokens",
    "HealthCheck",
    "HealthStatus",
    "Links",
    "LoginLinks",
    "RunbookSource",
    "Sessions",
    "Viewer",
    "add_routes",
    "session_secret",
]
