"""The pages in real Chromium: no policy broken, nothing sideways on a phone, live without a reload."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from bot.domain import commands as c
from bot.domain.policy import Policy
from tests.inbound.web.house import House, Library
from tests.inbound.web.test_private_pages import BOOK, furnish

pytestmark = pytest.mark.browser
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def shop(policy: Policy) -> AsyncIterator[House]:
    async with House(policy, library=Library(BOOK), demo=True) as house:
        yield house


async def opened(browser: Browser, house: House, complaints: list[str], **context: Any) -> Page:
    """A page of a new browser that collects what it complains about, signed in."""
    page = await (await browser.new_context(base_url=str(house.client.make_url("/")), **context)).new_page()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    assert house.links
    await page.goto(house.links.create("you"))
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_phone_and_breaks_no_policy(
    browser: Browser, shop: House, scheme: Literal["light", "dark"]
) -> None:
    number = furnish(shop)
    shop.shelf.publish(number, "We are looking into " + "averylongwordwithoutanyspace" * 10)
    complaints: list[str] = []
    page = await opened(browser, shop, complaints, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for path in (
        "/incidents",
        f"/incidents/{number}",
        f"/incidents/{number}/postmortem",
        "/runbooks/disk-full",
        "/status",
    ):
        answer = await page.goto(path)
        assert answer
        assert answer.status == 200
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(16, 19, 24)") is (scheme == "dark")
    assert complaints == []


async def test_a_page_follows_what_happens_and_times_are_the_readers(browser: Browser, shop: House) -> None:
    number = furnish(shop)
    complaints: list[str] = []
    page = await opened(browser, shop, complaints, timezone_id="Asia/Tokyo", locale="en-GB")
    await page.clock.install()
    await page.goto(f"/incidents/{number}")
    await expect(page.locator(".timeline li").first).to_contain_text("18:02:07")
    await page.locator("summary", has_text="1 labels").click()
    shop.shelf.wait(seconds=1)
    shop.shelf.do(number, c.AddNote("Something new"))
    await page.clock.run_for(11_000)
    await expect(page.locator(".timeline li").first).to_contain_text("Something new")
    await expect(page.locator("details[open]")).to_have_count(1)
    await expect(page.locator(".timeline li").first).to_contain_text("18:02:08")
    await page.goto("/status")
    shop.shelf.publish(number, "We are looking into it.")
    await page.clock.run_for(31_000)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Major Service Outage")
    assert complaints == []


async def test_the_status_page_needs_no_script(browser: Browser, shop: House) -> None:
    shop.shelf.publish(shop.shelf.declare("x", service="checkout"), "We are looking into it.")
    page = await opened(browser, shop, [], java_script_enabled=False)
    await page.goto("/status")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Major Service Outage")
    await expect(page.locator(".components")).to_contain_text("Major outage")
    await page.get_by_role("link", name="Problem with Checkout").first.click()
    await expect(page.locator("main")).to_contain_text("14 Mar 2026, 10:00 CET")


async def test_signing_in_by_form_and_out_again(browser: Browser, shop: House) -> None:
    page = await (await browser.new_context(base_url=str(shop.client.make_url("/")))).new_page()
    await page.goto("/incidents")
    await page.get_by_label("API token").fill("ann:wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not known here")
    await page.get_by_label("API token").fill("ann:s3cret")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Incidents")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_the_postmortem_is_copied_as_markdown(browser: Browser, shop: House) -> None:
    number = furnish(shop)
    page = await opened(browser, shop, [], permissions=["clipboard-read", "clipboard-write"])
    await page.goto(f"/incidents/{number}/postmortem")
    link = page.get_by_role("link", name="Copy as Markdown")
    await link.click()
    await expect(page.get_by_role("link", name="Copied")).to_be_visible()
    assert (await page.evaluate("navigator.clipboard.readText()")).startswith("# INC-1: Checkout is down")
