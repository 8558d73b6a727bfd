"""The whole house for one process: what opens here also closes, in reverse."""

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web
from apscheduler.triggers.interval import IntervalTrigger

from bot.assets import asset_dir
from bot.delivery.runner import Runner
from bot.delivery.ticker import Tick, Ticker
from bot.domain.people import is_person
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor
from bot.inbound.alerts.web import add_routes as add_alert_routes
from bot.inbound.slack.door import SlackDoor, open_slack_door
from bot.inbound.web.access import ApiTokens, LoginLinks, Sessions, session_secret
from bot.inbound.web.health import Health
from bot.inbound.web.routes import Access
from bot.inbound.web.routes import add_routes as add_web_routes
from bot.ports.clock import utc_now
from bot.ports.fault import Fault, no_fault
from bot.settings import Settings
from bot.storage.database import Database, open_database
from bot.usecases.committer import Committer
from bot.usecases.desk import Desk
from bot.usecases.queries import Queries
from bot.wiring.observability import Metrics, configure_logging
from bot.wiring.tools import open_library, open_texts

STUCK_AFTER = timedelta(minutes=5)
"""A delivery that has waited this long makes health say `degraded`."""
