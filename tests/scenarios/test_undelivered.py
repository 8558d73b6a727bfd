"""What Tocsin could not say apart from incidents: its operators see it where they look, and try it again there."""

from pathlib import Path

import pytest

from bot.domain.refusals import NotAllowed
from bot.render.slack import ids
from bot.settings import Config, Environment, Settings
from bot.usecases.cases import Request
from bot.wiring.doctor import examine
from tests.faults.site import CONFIG, Site, open_site
from tests.scenarios.test_mending import looked_up, without
from tests.scenarios.test_surfaces import ANNA, BEN, CHLOE, Desk
from tests.support.demo import words_of

OPERATED = f"{CONFIG}permissions: {{admin: [{ANNA}]}}\n"


async def doctor_says(site: Site) -> list[str]:
    """Return what `tocsin doctor` finds about deliveries; it knows nothing but the database."""
    environment = Environment(TOCSIN_DATABASE_URL=site.house.settings.env.database_url.get_secret_value())
    found = await examine(Settings(environment, Config(), None))
    return [f"{one.level} {one.detail} {one.mend}" for one in found if one.check == "delivery"]


async def test_a_refused_notice_is_seen_at_home_and_told_once_when_an_operator_tries_it_again(tmp_path: Path) -> None:
    async with open_site(tmp_path, config=OPERATED) as site:
        desk = Desk(site)
        with without(site, "chat:write"):
            await site.tell_the_house()
            await site.quiet()
        assert site.direct(CHLOE) == []
        (warned,) = await doctor_says(site)
        assert "missing_scope" in warned
        assert "tocsin incident undelivered" in warned
        (listed,) = await looked_up(site, "undelivered")
        assert (listed["effect"], listed["to"]) == ("notice:story/1", CHLOE)

        assert "could not be delivered" not in words_of(await desk.home(BEN))
        with pytest.raises(NotAllowed):
            await site.house.slack.refill._counter.desk.do("redeliver", Request(BEN))
        assert "could not be delivered" in words_of(await desk.home(ANNA))
        await desk.presses_at_home(ANNA, f"{ids.ASK}:undelivered")
        shown = words_of(desk.modal(ANNA))
        assert listed["error"] in shown
        assert "`tocsin manifest`" in shown, "what mends it"

        await desk.presses_in_window(ANNA, ids.REDELIVER)
        assert len(site.direct(CHLOE)) == 1
        assert await looked_up(site, "undelivered") == []
        assert await doctor_says(site) == []
        assert "could not be delivered" not in words_of(await desk.home(ANNA))
        assert site.twice() == []


async def test_a_home_that_is_refused_is_drawn_once_and_not_for_its_own_refusal(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        homes = site.house.slack._counter.homes
        assert homes is not None
        homes.every = 0.0
        site.weather.strike("missing_scope", lambda called: called.kind == "show_home")
        await site.open_home(ANNA)
        await site.open_home(BEN)
        await site.quiet()
        await homes._look()
        await site.quiet()
        listed = await looked_up(site, "undelivered")
        assert sorted(one["to"] for one in listed) == [ANNA, BEN]
        assert sorted(called.kind for called in site.weather.struck.elements()) == ["show_home", "show_home"]
