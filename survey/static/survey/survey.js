// One tap, one answer: while a form is on its way, its button waits.
"use strict";

const form = document.getElementById("survey");
const button = form.querySelector("button[type=submit]");
const label = button.textContent;

form.addEventListener("submit", () => {
  button.disabled = true;
  button.textContent = form.dataset.sending;
});

// The Back button may bring the page back as it was left.
window.addEventListener("pageshow", () => {
  button.disabled = false;
  button.textContent = label;
});
