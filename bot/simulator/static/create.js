// Making a channel.

import { post } from "./api.js";
import { h, iconButton } from "./dom.js";
import { emit, store } from "./store.js";

export function createChannel() {
  const error = h("p", { class: "field-error", role: "alert", hidden: true });
  const name = h("input", { type: "text", id: "new-name", maxlength: "80", autocomplete: "off", autocapitalize: "none", placeholder: "e.g. payments", autofocus: true, testid: "create-name", "aria-describedby": "new-name-hint" });
  const hidden = h("input", { type: "checkbox", testid: "create-private" });
  const finish = () => { dialog.close(); dialog.remove(); };
  const create = async (event) => {
    event.preventDefault();
    error.hidden = true;
    try {
      // Slack's own field turns what is typed into a legal name as well.
      const wanted = name.value.trim().toLowerCase().replaceAll(/[\s.]+/g, "-");
      const { channel } = await post("create", { name: wanted, is_private: hidden.checked });
      store.channels.set(channel.id, channel);
      finish();
      emit("go", channel.id);
    } catch (refused) {
      error.textContent = refused.message;
      error.hidden = false;
      name.focus();
    }
  };
  const dialog = h("dialog", { class: "dialog small", "aria-labelledby": "create-title", testid: "create", on: { cancel: (event) => { event.preventDefault(); finish(); } } },
    h("form", { on: { submit: create }, novalidate: true },
      h("div", { class: "dialog-head" }, h("h2", { id: "create-title" }, "Create a channel"), iconButton("close", "Close", finish)),
      h("div", { class: "dialog-body" },
        h("div", { class: "block-input" }, h("label", { class: "input-label", for: "new-name" }, "Name"), name, error,
          h("p", { class: "hint", id: "new-name-hint" }, "Lower case, with hyphens instead of spaces.")),
        h("label", { class: "box" }, hidden, h("span", {}, "Private", h("small", {}, "Only people who are invited can see it.")))),
      h("div", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", on: { click: finish } }, "Cancel"),
        h("button", { type: "submit", class: "button primary", testid: "create-submit" }, "Create"))));
  document.body.append(dialog);
  dialog.showModal();
}
