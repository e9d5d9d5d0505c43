// Keep a draft and the visit's key on this device until the submission is stored, and retry.
// Knows no field by name but submission_id. Must work in Chromium 86.
"use strict";

(() => {
  const LONGEST_PAUSE = 60000; // milliseconds between attempts
  const ATTEMPT_TIMEOUT = 40000; // milliseconds
  const DRAFT_LIFE = 24 * 3600 * 1000; // milliseconds; phones change hands
  const form = document.querySelector("form[data-draft]");
  const storageKey = (name) => `draft:${name}`;

  // Private windows may forbid storage; the page then works without a draft.
  const store = {
    read(name) {
      try {
        return JSON.parse(localStorage.getItem(storageKey(name)));
      } catch (error) {
        return null;
      }
    },
    write(name, draft) {
      try {
        localStorage.setItem(storageKey(name), JSON.stringify(draft));
      } catch (error) {
        return;
      }
    },
    remove(name) {
      try {
        localStorage.removeItem(storageKey(name));
      } catch (error) {
        return;
      }
    },
  };

  // On the thank-you page: delete the draft of a form that the browser sent itself.
  if (!form) {
    const native = sessionStorage.getItem("sent-natively");
    if (native) store.remove(native);
    sessionStorage.removeItem("sent-natively");
    return;
  }

  const name = form.dataset.draft;
  const key = form.elements.namedItem("submission_id");
  const status = document.getElementById("sending");
  const button = form.querySelector("button[type=submit]");
  const label = button.textContent;
  const languages = Array.from(document.querySelectorAll("button.language"));
  const isReturned = "returned" in form.dataset;
  const returnedKey = key.value;
  let switching = false; // the language; event.submitter is newer than Safari 15
  let snapshot = null; // the values being sent
  let pause = 1000;
  let timer = 0;

  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  const visible = () =>
    Array.from(form.elements).filter(
      (field) => field.name && !["hidden", "password", "submit", "button"].includes(field.type) && !field.closest("[hidden]")
    );

  const keep = (extra) => {
    const values = visible()
      .filter((field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value))
      .map((field) => [field.name, field.value]);
    store.write(name, { key: key.value, values, savedAt: Date.now(), ...extra });
  };

  const fill = (values) => {
    for (const field of visible()) {
      const given = values.filter(([fieldName]) => fieldName === field.name).map(([, value]) => value);
      if (field.type === "radio" || field.type === "checkbox") field.checked = given.includes(field.value);
      else if (given.length) field.value = given[0];
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };

  const showStatus = (text) => {
    status.textContent = text;
    status.hidden = !text;
  };

  const freeze = (frozen) => {
    for (const field of visible()) field.disabled = frozen;
    for (const any of [button, ...languages]) any.disabled = frozen;
    button.textContent = frozen ? form.dataset.sending || label : label;
  };

  const endVisit = () => {
    clearTimeout(timer);
    snapshot = null;
    store.remove(name);
    freeze(false);
    form.reset();
    if (isReturned) sessionStorage.setItem("ended", returnedKey);
    key.value = newKey();
    showStatus("");
  };

  const showErrors = (errors) => {
    let first = null;
    for (const field of Object.keys(errors)) {
      const found = form.elements.namedItem(field);
      const input = found && (found.length && !found.tagName ? found[0] : found);
      const place = input && input.closest("fieldset, .field");
      if (!place || input.type === "hidden") return false;
      let box = place.querySelector(".error");
      if (!box) {
        box = document.createElement("div");
        box.className = "error";
        box.id = `id_${field}_error`; // as the server names it
        place.append(box);
      }
      box.replaceChildren(
        ...errors[field].map((message) => {
          const line = document.createElement("p");
          line.textContent = message;
          return line;
        })
      );
      input.setAttribute("aria-invalid", "true");
      const described = place.tagName === "FIELDSET" ? place : input;
      const others = (described.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== box.id);
      described.setAttribute("aria-describedby", [...others, box.id].join(" "));
      first = first || input;
    }
    if (first) first.focus();
    return Boolean(first);
  };

  const clearErrors = () => {
    for (const box of form.querySelectorAll(".error")) box.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const described of form.querySelectorAll("[aria-describedby]")) {
      const ids = described.getAttribute("aria-describedby").split(" ").filter((id) => !id.endsWith("_error"));
      if (ids.length) described.setAttribute("aria-describedby", ids.join(" "));
      else described.removeAttribute("aria-describedby");
    }
    for (const notice of form.querySelectorAll(".problem[role=alert]")) notice.remove();
  };

  const retryLater = (text, seconds) => {
    showStatus(text);
    keep({ pending: true, sent: snapshot });
    const wait = seconds ? seconds * 1000 : pause * (0.5 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  };

  // Errors that cannot be shown here, the server shows: it returns the page with all values.
  const sendNatively = () => {
    freeze(false);
    keep();
    sessionStorage.setItem("sent-natively", name);
    form.submit();
  };

  const handle = async (response) => {
    const { status: code } = response;
    const problem = code === 201 ? {} : await response.json().catch(() => ({}));
    if (code === 201) {
      const thanks = response.headers.get("Location");
      endVisit();
      location.assign(thanks);
    } else if (code === 429) {
      const seconds = Number(response.headers.get("Retry-After")) || 0;
      retryLater(seconds > 10 ? status.dataset.busy : "", Math.min(seconds, 600));
    } else if (code >= 500 || code === 408) {
      const seconds = Number(response.headers.get("Retry-After")) || 0;
      retryLater(status.dataset.waiting, Math.min(seconds, 600));
    } else if (code === 422) {
      freeze(false);
      snapshot = null;
      key.value = newKey();
      keep();
      showStatus(problem.detail || "");
    } else if (problem.errors) {
      freeze(false);
      snapshot = null;
      keep();
      showStatus("");
      if (!showErrors(problem.errors)) sendNatively();
    } else {
      sendNatively();
    }
  };

  async function send() {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), ATTEMPT_TIMEOUT);
    let response;
    try {
      response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(snapshot),
        headers: { Accept: "application/json" },
        signal: abort.signal,
      });
    } catch (error) {
      retryLater(status.dataset.waiting);
      return;
    } finally {
      clearTimeout(limit);
    }
    await handle(response);
  }

  // `sent`: the values of an earlier page, hidden ones too, such as the version of the notice that the guest agreed to.
  const start = (sent) => {
    snapshot = sent || Array.from(new FormData(form)).filter(([, value]) => typeof value === "string");
    pause = 1000;
    keep({ pending: true, sent: snapshot });
    freeze(true);
    clearErrors();
    send();
  };

  const restore = (draft) => {
    fill(draft.values);
    key.value = draft.key;
    if (draft.pending) {
      start(draft.sent);
      return;
    }
    showStatus(`${status.dataset.kept} `);
    const over = document.createElement("button");
    over.type = "button";
    over.textContent = status.dataset.startOver;
    over.addEventListener("click", endVisit);
    status.append(over);
  };

  for (const other of languages) other.addEventListener("click", () => (switching = true));
  form.addEventListener("submit", (event) => {
    if (switching) return;
    event.preventDefault();
    if (!snapshot) start();
  });
  form.addEventListener("input", () => {
    if (!snapshot) keep();
  });
  window.addEventListener("online", () => {
    if (!snapshot || !timer) return;
    clearTimeout(timer);
    send();
  });
  // After Back to a redisplayed page whose submission was sent: load an empty one for the next guest.
  const leaveIfEnded = () => {
    const hasEnded = isReturned && sessionStorage.getItem("ended") === returnedKey;
    if (hasEnded) location.replace(location.href);
    return hasEnded;
  };

  window.addEventListener("pageshow", (event) => {
    if (event.persisted && leaveIfEnded()) return;
    switching = false;
    freeze(Boolean(snapshot));
  });

  if (leaveIfEnded()) return;

  // A redisplayed page holds newer values than the draft.
  const draft = store.read(name);
  if (isReturned) {
    sessionStorage.removeItem("sent-natively");
    keep();
  } else if (draft && !draft.pending && draft.savedAt < Date.now() - DRAFT_LIFE) {
    store.remove(name);
  } else if (draft && draft.values.length) {
    restore(draft);
  }
})();
