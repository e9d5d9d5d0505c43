// A page that came back with errors starts at the first of them; a second tap, or space, takes an optional choice back.
// Everything else works without this; submit.js sends.
"use strict";

(() => {
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();

  const isChosen = (field) => field.type === "radio" && field.checked && Boolean(field.closest(".recommend, .aspect"));
  const takeBack = (radio) => {
    radio.checked = false;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let tapped = null; // a click finds its radio button chosen in any case: whether it was is known when the finger lands
  document.addEventListener("pointerdown", ({ target }) => {
    const field = target.control || target;
    tapped = isChosen(field) ? field : null;
  });
  document.addEventListener("click", ({ target }) => {
    if (tapped && target === tapped) takeBack(tapped);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !isChosen(event.target)) return;
    event.preventDefault();
    takeBack(event.target);
  });
})();
