// What the page does beyond its HTML. It works without any of this.
"use strict";

(() => {
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();

  const form = document.getElementById("survey");
  if (!form) return;
  const button = form.querySelector("button.send");
  const label = button.textContent;

  // One tap, one answer: while a form is on its way, its button waits.
  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = form.dataset.sending;
  });

  // The Back button may bring the page back as it was left.
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    button.textContent = label;
  });
})();
