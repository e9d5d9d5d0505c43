// Ask once a minute whether a submission has arrived since the page was made, and offer to show it.
"use strict";

{
  const MINUTE = 60000;
  const note = document.querySelector("[data-news]");
  let asked = Date.now();
  let timer;

  const ask = async () => {
    if (document.hidden) return;
    asked = Date.now();
    try {
      const response = await fetch(note.dataset.news, { credentials: "same-origin" });
      if (response.redirected || (response.ok && (await response.json()).is_new)) {
        clearInterval(timer); // logged out, or there is nothing more to learn
        note.hidden = response.redirected;
      }
    } catch (error) {
      // No network: the next minute asks again.
    }
  };

  timer = setInterval(ask, MINUTE);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && note.hidden && Date.now() - asked >= MINUTE) ask();
  });
}
