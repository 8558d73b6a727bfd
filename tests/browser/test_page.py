"""The demo's page in real Chromium: declare, click, submit a form, fire an alert, read the postmortem."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support.demo import Person, Process, free_port, until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = os.environ.get("SCREENSHOTS")
"""A folder to leave screenshots in, for people to look at."""


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One Chromium for the module."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    """A running demo."""
    port = str(free_port())
    arguments = ("demo", "--no-open", "--port", port, "--data", str(tmp_path / "demo"))
    with Process(*arguments, cwd=tmp_path, ready="Tocsin is ready") as process:
        yield process


def address(demo: Process) -> str:
    return demo.wait_for("Tocsin is ready").split()[-1].rstrip("/")


@pytest.fixture
def page(browser: Browser, demo: Process) -> Iterator[Page]:
    """The workspace on a laptop; fails if the page logs an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Berlin", locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address(demo))
    yield opened
    context.close()
    assert errors == []


def shot(page: Page, name: str) -> None:
    """Leave a screenshot, if somebody wants to look."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def said(page: Page, words: str | re.Pattern[str]) -> Locator:
    """The newest message with these words."""
    return page.get_by_test_id("message").filter(has_text=words).last


def type_in(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("composer").press("Enter")


def test_declare_by_typing_click_through_and_read_the_postmortem(page: Page, demo: Process) -> None:
    type_in(page, "/incident declare sev1 Checkout is down #checkout")
    room = page.get_by_test_id("channel-inc-1-checkout-is-down")
    expect(room).to_be_visible()
    room.click()
    expect(page.get_by_test_id("topic")).to_contain_text("SEV1")
    expect(page.get_by_test_id("bookmark").first).to_be_visible()
    shot(page, "room")
    page.get_by_test_id("action-ack").first.click()
    expect(said(page, re.compile("acknowledged", re.I))).to_be_visible()
    type_in(page, "the pool is exhausted")
    page.get_by_test_id("action-resolve").first.click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_be_visible()
    modal.locator("textarea").first.fill("restarted the connection pool")
    shot(page, "resolve-form")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_be_hidden()
    expect(said(page, "restarted the connection pool")).to_be_visible()
    shot(page, "resolved")
    login = next(line for line in demo.output if "/login?once=" in line).split()[-1]
    page.goto(login)
    page.goto(f"{address(demo)}/incidents/1/postmortem")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Checkout is down")
    expect(page.get_by_text("the pool is exhausted").first).to_be_visible()
    shot(page, "postmortem")


def test_what_is_rare_stands_behind_more_and_closes_when_it_is_done(page: Page, demo: Process) -> None:
    type_in(page, "/incident declare sev1 Checkout is down #checkout")
    page.get_by_test_id("channel-inc-1-checkout-is-down").click()
    page.get_by_test_id("action-more").click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("Page someone")
    shot(page, "more")
    modal.get_by_test_id("action-open:page").click()
    expect(modal).to_contain_text("Or whoever is on call for")
    shot(page, "more-page")
    modal.get_by_role("button", name="Back").first.click()
    modal.get_by_test_id("action-open:note").click()
    modal.locator("textarea").fill("the deploy of 1.42 began")
    modal.locator("input").fill("00:01")
    shot(page, "more-note")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_be_hidden()
    expect(said(page, "Noted on the timeline")).to_be_visible()
    page.get_by_test_id("action-more").click()
    modal.get_by_test_id("action-open:role").click()
    shot(page, "more-role")
    modal.get_by_role("button", name="Back").first.click()
    modal.get_by_test_id("action-ask:timeline").click()
    expect(modal).to_contain_text("the deploy of 1.42 began")
    shot(page, "more-timeline")


def test_a_resolved_card_closes_and_reopens(page: Page) -> None:
    type_in(page, "/incident declare sev2 Search is slow #search")
    page.get_by_test_id("channel-inc-1-search-is-slow").click()
    expect(page.get_by_test_id("action-more")).to_be_visible()
    type_in(page, "/incident resolve we added an index")
    expect(page.get_by_test_id("action-close").first).to_be_visible()
    page.get_by_test_id("message").first.scroll_into_view_if_needed()
    shot(page, "resolved-card")
    page.get_by_test_id("action-close").first.click()
    expect(page.get_by_test_id("confirm")).to_contain_text("the postmortem too")
    shot(page, "close-asks")
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("topic")).to_contain_text("closed")
    page.get_by_test_id("action-open:reopen").first.click()
    modal = page.get_by_test_id("modal")
    modal.locator("textarea").fill("it is slow again")
    shot(page, "reopen")
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("topic")).to_contain_text("investigating")


def test_the_form_says_what_looks_the_same_and_its_answer_can_be_undone(page: Page, demo: Process) -> None:
    anna, ben = Person(address(demo)), Person(address(demo), "U0002")
    anna.say("general", "/incident declare sev2 Payments fail --drill")
    ben.say("general", "/incident declare sev2 Replica lag on orders")
    ben.sees("inc-2-replica-lag-on-orders", "Public update")
    ben.say("inc-2-replica-lag-on-orders", "/incident task Add a replica lag alert")
    ben.say("inc-2-replica-lag-on-orders", "/incident resolve it caught up")
    ben.say("general", "/incident declare sev2 Orders are lost: replica lag")
    type_in(page, "/incident declare")
    modal = page.get_by_test_id("modal")
    modal.locator("input[type=text], input:not([type])").first.fill("Replica lag, orders lost")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("Nothing is declared yet")
    expect(modal).to_contain_text("Join instead")
    expect(modal).to_contain_text("Add a replica lag alert")
    shot(page, "declare-form-warns")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("INC-4")
    shot(page, "declared-by-form")
    modal.get_by_test_id("action-undo").click()
    expect(modal).to_contain_text("taken back")
    shot(page, "undone-by-form")


def test_the_menus_on_the_card_change_the_incident_and_a_lower_severity_asks_why(page: Page) -> None:
    type_in(page, "/incident declare sev1 Checkout is down #checkout")
    page.get_by_test_id("channel-inc-1-checkout-is-down").click()
    topic = page.get_by_test_id("topic")
    page.get_by_test_id("action-status").select_option(label="🎯 Identified")
    expect(topic).to_contain_text("identified")
    page.get_by_test_id("action-severity").select_option(label="🟠 SEV2")
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("Why is it less bad?")
    shot(page, "lower-severity")
    modal.locator("textarea").fill("Only the old checkout")
    page.get_by_test_id("modal-submit").click()
    expect(topic).to_contain_text("SEV2")
    page.get_by_test_id("action-lead").select_option(label="Ben Carter")
    expect(topic).to_contain_text("lead @Ben Carter")
    expect(said(page, "Why SEV2: Only the old checkout")).to_be_visible()
    page.get_by_test_id("action-status").select_option(label="✅ Resolved")
    expect(modal).to_contain_text("What fixed it?")


def test_the_runbook_shows_what_to_do_now_and_its_buttons_move_the_bar(page: Page) -> None:
    type_in(page, "/incident declare sev1 Checkout is down #checkout")
    page.get_by_test_id("channel-inc-1-checkout-is-down").click()
    book = said(page, "Diagnosis")
    expect(book).to_contain_text("0 of 15")
    page.get_by_test_id("action-step:1:done").click()
    expect(book).to_contain_text("1 of 15")
    page.get_by_test_id("action-step:2:failed").click()
    expect(book).to_contain_text("2 of 15 · ❌ failed: 2 · next: step 3")
    expect(book).to_contain_text("▰")
    expect(page.get_by_test_id("action-step:3:done")).to_be_in_viewport()
    page.get_by_test_id("action-step:2").click()
    page.get_by_test_id("option-1:2:open").click()
    expect(book).to_contain_text("1 of 15 · next: step 2")


def test_a_newcomer_begins_at_the_card_and_a_paged_person_at_the_call(page: Page, demo: Process) -> None:
    anna = Person(address(demo))
    anna.say("general", "/incident declare sev1 Checkout is down #checkout")
    anna.sees("inc-1-checkout-is-down", "Public update")
    page.get_by_test_id("app-home").click()
    on_call = page.get_by_test_id("home").get_by_text(re.compile("primary: @")).first
    name = re.search("primary: @(\\S+ \\S+) until", on_call.inner_text())
    assert name is not None
    page.get_by_test_id("act-as").select_option(label=name[1])
    page.locator("body[data-ready]:not([data-ready=U0001])").wait_for()
    page.get_by_test_id("channel-inc-1-checkout-is-down").click()
    expect(page.get_by_test_id("action-ack").first).to_be_in_viewport()
    expect(page.get_by_test_id("action-resolve")).to_be_in_viewport()
    page.get_by_test_id("app-home").click()
    home = page.get_by_test_id("home")
    expect(home).to_contain_text("You were called")
    shot(page, "home-called")
    page.get_by_test_id("tab-messages").click()
    expect(said(page, "needs you")).to_be_in_viewport()
    said(page, "needs you").get_by_test_id("action-ack").click()
    expect(said(page, "is yours")).to_be_visible()
    expect(said(page, "Acknowledged by")).to_be_visible()


def test_the_home_leads_into_every_incident_and_declares(page: Page, demo: Process) -> None:
    anna, ben = Person(address(demo)), Person(address(demo), "U0002")
    ben.say("general", "/incident declare sev1 Checkout is down #checkout")
    anna.say("general", "/incident declare sev2 Search is slow #search")
    anna.sees("inc-2-search-is-slow", "Diagnosis")
    anna.say("inc-2-search-is-slow", "/incident lead me")
    page.get_by_test_id("app-home").click()
    home = page.get_by_test_id("home")
    for words in ("Update of INC-2", "Your incidents", "Other open incidents", "Checkout is down", "On call"):
        expect(home).to_contain_text(words)
    shot(page, "home")
    home.get_by_role("button", name="Join", exact=True).click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("inc-1-checkout-is-down")
    shot(page, "home-joined")
    page.keyboard.press("Escape")
    expect(home).not_to_contain_text("Other open incidents")  # it follows by itself
    home.get_by_role("button", name="Declare an incident").click()
    expect(modal).to_contain_text("What is wrong?")


def test_what_is_pressed_is_clicked_whatever_comes_in_meanwhile(page: Page, demo: Process) -> None:
    ben = Person(address(demo), "U0002")
    random, general = page.get_by_test_id("channel-random"), page.get_by_test_id("channel-general")
    expect(general).to_contain_text("1 unread")  # the welcome
    random.hover()
    page.mouse.down()
    ben.say("general", "Is anybody else seeing this?")
    page.wait_for_timeout(500)  # longer than it takes to come in, and to be drawn
    page.mouse.up()
    expect(page.locator("#channel-header")).to_contain_text("random")
    expect(general).to_contain_text("2 unread")


def test_the_form_shows_what_is_wrong_beside_the_field_and_then_declares(page: Page) -> None:
    type_in(page, "/incident declare")
    modal = page.get_by_test_id("modal")
    expect(modal).to_be_visible()
    shot(page, "declare-form")
    title = modal.locator("input[type=text], input:not([type])").first
    title.fill("🔥🔥")
    page.get_by_test_id("modal-submit").click()
    expect(modal.locator("[data-testid^=field-error-]").first).to_contain_text("letter or digit")
    shot(page, "declare-form-error")
    title.fill("Search is slow")
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("channel-inc-1-search-is-slow")).to_be_visible()


def test_a_fired_sample_alert_opens_a_channel_live(page: Page) -> None:
    page.get_by_test_id("samples").click()
    shot(page, "samples")
    page.get_by_test_id("sample-high-latency-fire").click()
    room = page.locator("[data-testid^=channel-inc-1-]")
    expect(room).to_be_visible()
    room.click()
    expect(said(page, "HighLatency")).to_be_visible()
    shot(page, "alert-room")


def test_slash_commands_complete_while_typing(page: Page) -> None:
    page.get_by_test_id("composer").press_sequentially("/inc")
    expect(page.get_by_test_id("completion").first).to_contain_text("/incident")
    shot(page, "completion")


def test_it_works_on_a_phone_in_the_dark(browser: Browser, demo: Process) -> None:
    base = address(demo)
    person = Person(base)
    person.say("general", "/incident declare sev2 Search is slow #search")
    room = until(lambda: person.channel("inc-1-search-is-slow"), "the channel")
    person.sees("inc-1-search-is-slow", "Diagnosis")
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True, timezone_id="America/New_York"
    )
    page = context.new_page()
    page.goto(base)
    shot(page, "phone-first")
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, "nothing sticks out to the side"
    page.goto(f"{base}/#{room['id']}")
    expect(page.get_by_test_id("action-more")).to_be_visible()
    shot(page, "phone-card")
    page.get_by_test_id("action-more").click()
    expect(page.get_by_test_id("modal")).to_contain_text("Page someone")
    shot(page, "phone-more")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.get_by_test_id("action-open:page").click()
    expect(page.get_by_test_id("modal")).to_contain_text("Or whoever is on call for")
    shot(page, "phone-more-page")
    page.get_by_test_id("modal-close").click()
    person.say("inc-1-search-is-slow", "/incident resolve we added an index")
    expect(page.get_by_test_id("action-close").first).to_be_visible()
    page.get_by_test_id("action-close").first.scroll_into_view_if_needed()
    shot(page, "phone-resolved")
    person.say("general", "/incident declare sev1 Checkout is down #checkout")
    page.goto(f"{base}/#home")
    expect(page.get_by_test_id("home")).to_contain_text("Your incidents")
    shot(page, "phone-home")
    page.get_by_test_id("action-declare").click()
    expect(page.get_by_test_id("modal")).to_contain_text("What is wrong?")
    shot(page, "phone-declare-form")
    page.get_by_test_id("modal-close").click()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.goto(f"{base}/status")
    shot(page, "phone-status")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    context.close()
