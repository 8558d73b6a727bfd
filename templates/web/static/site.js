// The reader's own times, live pages, and copying. Everything works without this script, only less comfortably.
"use strict";

const SHORT = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (time.dataset.style === "clock") {
      const local = document.createElement("span");
      local.className = "local";
      local.textContent = at.toLocaleTimeString(undefined, CLOCK);
      time.append(" ", local);
    } else {
      time.title = time.textContent.trim();
      const thisYear = at.getFullYear() === new Date().getFullYear();
      time.textContent = at.toLocaleString(undefined, thisYear ? SHORT : { ...SHORT, year: "numeric" });
    }
  }
}

function keepLive(main) {
  const every = Number(main.dataset.live || 10) * 1000;
  let shown = main.innerHTML;
  let tag = "";

  function replace(next) {
    const open = [...main.querySelectorAll("details")].map((part) => part.open);
    shown = next.innerHTML;
    showLocalTimes(next);
    main.replaceChildren(...next.childNodes);
    main.querySelectorAll("details").forEach((part, n) => { part.open = open[n] || false; });
  }

  async function look() {
    const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.redirected) return location.reload(); // signed out meanwhile
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag") || "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("main");
    if (next && next.innerHTML !== shown) replace(next);
  }

  function wait() {
    setTimeout(() => {
      if (document.hidden) document.addEventListener("visibilitychange", turn, { once: true });
      else turn();
    }, every);
  }

  function turn() {
    look().catch(() => {}).finally(wait); // the server is away: the next look finds it again
  }

  wait();
}

function offerCopy(link) {
  link.addEventListener("click", async (click) => {
    if (!navigator.clipboard) return;
    click.preventDefault();
    try {
      const answer = await fetch(link.href);
      await navigator.clipboard.writeText(await answer.text());
      link.textContent = "Copied";
    } catch {
      location.href = link.href;
    }
  });
}

const main = document.querySelector("main[data-live]");
if (main) keepLive(main);
showLocalTimes(document);
document.querySelectorAll("a[data-copy]").forEach(offerCopy);
