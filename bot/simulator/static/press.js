// Whatever is being pressed stays where it is: a button replaced between press and release is never clicked.

const CLICK_FOLLOWS = 100; // ms from the release to its click, also by touch
let pressed = false;
let release = 0;
const waiting = [];

addEventListener("pointerdown", () => { pressed = true; clearTimeout(release); }, { capture: true });
for (const end of ["pointerup", "pointercancel", "dragend"]) addEventListener(end, released, { capture: true });
addEventListener("blur", released); // of the window: it does not bubble

function released() {
  clearTimeout(release);
  release = setTimeout(() => {
    pressed = false;
    for (const act of waiting.splice(0)) act();
  }, CLICK_FOLLOWS);
}

/** Do this now or, while something is pressed, right after its click; always in the order in which it was asked for. */
export function unpressed(act) {
  if (pressed) waiting.push(act);
  else act();
}
