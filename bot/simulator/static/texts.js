// Block Kit's composition objects: texts and questions.

import { characters } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { ask } from "./overlay.js";

/** A plain_text's words: only short names of emoji are drawn in it. */
export const words = (text) => String(text?.text ?? "").replace(/:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/g, (whole, name) => characters(name) ?? whole);

/** The nodes of a text object. */
export function textNodes(text) {
  if (text?.type !== "mrkdwn") return [words(text)];
  return mrkdwn(text.text, { verbatim: text.verbatim });
}

/** Ask for confirmation where the element wants it, then use it. Resolves to whether it was used. */
export async function confirmed(element, use) {
  const question = element.confirm;
  if (question) {
    const yes = await ask({
      title: words(question.title), text: textNodes(question.text), yes: words(question.confirm), no: words(question.deny),
      danger: question.style === "danger",
    });
    if (!yes) return false;
  }
  await use();
  return true;
}
