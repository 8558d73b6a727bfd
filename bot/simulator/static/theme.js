// Light, dark, or as the system has it.

import { icon } from "./dom.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const NAMES = { auto: "as the system", light: "light", dark: "dark" };
const DRAWN = { auto: "auto", light: "sun", dark: "moon" };

const stored = () => {
  try { return NEXT[localStorage.getItem("tocsin.theme")] ? localStorage.getItem("tocsin.theme") : "auto"; } catch { return "auto"; }
};

export function startTheme(button) {
  let theme = stored();
  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(DRAWN[theme]));
    button.title = `Theme: ${NAMES[theme]}`;
    button.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}`);
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    try { localStorage.setItem("tocsin.theme", theme); } catch { /* private windows may refuse */ }
    apply();
  });
  apply();
}
