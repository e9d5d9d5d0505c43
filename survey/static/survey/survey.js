// Show a page with a draft when it is complete; focus the first error; show the problems after a low score where CSS
// cannot; let a second tap, or space, clear a choice. submit.js sends the form. The page works without either.
// Runs before the first paint, therefore it is short.
"use strict";

(() => {
  // submit.js comes after the first paint and would move the page by what it restores. It has run when the document is
  // complete; a page that waits longer for it is shown as it is.
  const root = document.documentElement;
  const show = () => root.classList.remove("restoring");
  root.classList.add("script");
  try {
    if (Object.keys(localStorage).some((name) => name.startsWith("draft:"))) root.classList.add("restoring");
  } catch (error) {
    // A private window may forbid storage.
  }
  setTimeout(show, 3000);

  document.addEventListener("DOMContentLoaded", () => {
    show();
    const invalid = document.querySelector("[aria-invalid=true]");
    if (invalid) invalid.focus();

    const low = document.querySelector(".low");
    if (low && !(CSS.supports && CSS.supports("selector(:has(*))"))) {
      const scores = Array.from(document.querySelectorAll("[name=satisfaction]"));
      const showProblems = () => (low.hidden = !scores.some((score) => score.checked && score.matches(".low-score")));
      for (const score of scores) score.addEventListener("change", showProblems);
      showProblems();
    }
  });

  const isChosen = (field) => field.type === "radio" && field.checked && Boolean(field.closest(".recommend, .aspect"));
  const uncheck = (radio) => {
    radio.checked = false;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let tapped = null; // the radio button if it was checked before the tap: in the click event it always is
  document.addEventListener("pointerdown", ({ target }) => {
    const field = target.control || target;
    tapped = isChosen(field) ? field : null;
  });
  document.addEventListener("click", ({ target }) => {
    if (tapped && target === tapped) uncheck(tapped);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !isChosen(event.target)) return;
    event.preventDefault();
    uncheck(event.target);
  });
})();
