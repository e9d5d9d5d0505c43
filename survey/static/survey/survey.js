// A page that came back with errors starts at the first of them. Everything else works without this; submit.js sends.
"use strict";

(() => {
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
})();
