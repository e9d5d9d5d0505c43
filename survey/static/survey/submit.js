// Keep a draft of the form on this device, and send a submission until the server has it.
// A draft shows itself in the visit that typed it, else it asks. A submission that waits is sent from any of our pages.
// Knows no field by name but submission_id. Must work in Chromium 74.
"use strict";

(() => {
  const LONGEST_PAUSE = 60000; // milliseconds between attempts
  const ATTEMPT_TIMEOUT = 40000; // milliseconds
  const LONGEST_RETRY_AFTER = 600; // seconds
  const DRAFT_LIFE = 24 * 3600 * 1000; // milliseconds; phones change hands
  const VISIT_LIFE = 10 * 60 * 1000; // milliseconds without a change; tablets on a table change hands sooner
  const DRAFT = "draft:"; // and the form's name: { key, values, savedAt }
  const WAITING = "waiting:"; // and the visit's key: { name, action, values, draft, photos: where to upload any }
  const VISIT = "visit:"; // and the form's name, in this tab: the key of the visit that it shows

  // Private windows may forbid storage; the page then works without a draft.
  const guarded = (storage) => {
    const attempt = (action, otherwise) => {
      try {
        return action(window[storage]);
      } catch (error) {
        return otherwise;
      }
    };
    return {
      read: (name) => attempt((store) => JSON.parse(store.getItem(name)), null),
      write: (name, value) => attempt((store) => store.setItem(name, JSON.stringify(value))),
      remove: (name) => attempt((store) => store.removeItem(name)),
      names: (prefix) => attempt((store) => Object.keys(store).filter((name) => name.startsWith(prefix)), []),
    };
  };
  const store = guarded("localStorage");
  const tab = guarded("sessionStorage");

  // Return the response to one attempt; null without one.
  const post = async (action, values) => {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), ATTEMPT_TIMEOUT);
    const request = {
      method: "POST",
      body: new URLSearchParams(values),
      headers: { Accept: "application/json" },
      signal: abort.signal,
    };
    try {
      return await fetch(action, request);
    } catch (error) {
      return null;
    } finally {
      clearTimeout(limit);
    }
  };

  const photoScript = () => import(document.querySelector("[data-photos]").dataset.photos);
  const forgetPhotos = (visit) => photoScript().then((script) => script.forget(visit)).catch(() => {});
  // Return whether no photo of a submission must wait any more: their keys are among its values then.
  const uploadPhotos = (entry, waiting) =>
    !waiting.photos || photoScript().then((script) => script.settle(entry, waiting)).catch(() => false);

  const mayPass = (response) => !response || response.status >= 500 || response.status === 408 || response.status === 429;
  const retryAfter = (response) => Math.min(Number(response.headers.get("Retry-After")) || 0, LONGEST_RETRY_AFTER);

  const form = document.querySelector("form[data-draft]");
  const key = form && form.elements.namedItem("submission_id");
  let snapshot = null; // the values that this page is sending
  let waitingHere = {}; // and what waits with them

  let othersPause = 1000;
  const sendOthers = async () => {
    let anyWaits = false;
    for (const entry of store.names(WAITING)) {
      const waiting = snapshot && entry === WAITING + key.value ? null : store.read(entry);
      if (!waiting) continue;
      const response = (await uploadPhotos(entry, waiting)) && (await post(waiting.action, waiting.values));
      if (mayPass(response)) {
        anyWaits = true;
        continue;
      }
      store.remove(entry);
      if (waiting.draft && waiting.draft.photos && response.status === 201) forgetPhotos(entry.slice(WAITING.length));
      const draft = store.read(DRAFT + waiting.name);
      if (response.status !== 201) {
        if (!draft) store.write(DRAFT + waiting.name, waiting.draft); // refused: its page asks what to do with it
      } else if (draft && entry === WAITING + draft.key) store.remove(DRAFT + waiting.name);
    }
    othersPause = Math.min(othersPause * 2, LONGEST_PAUSE);
    if (anyWaits) setTimeout(sendOthers, othersPause);
  };

  if (!form) {
    // On the thank-you page: delete the draft of a form that the browser sent itself.
    const native = tab.read("sent-natively");
    if (native) store.remove(DRAFT + native);
    tab.remove("sent-natively");
    sendOthers();
    return;
  }

  const name = form.dataset.draft;
  const kept = document.getElementById("kept");
  const status = document.getElementById("sending");
  const button = form.querySelector("button[type=submit]");
  const label = button.textContent;
  const photos = document.getElementById("photos");
  const languages = Array.from(document.querySelectorAll("button.language"));
  const isReturned = "returned" in form.dataset;
  const returnedKey = key.value;
  let switching = false; // the language; event.submitter is newer than Safari 15
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

  const draftNow = () => ({
    key: key.value,
    savedAt: Date.now(),
    photos: photos.dataset.count && photos.offsetHeight,
    values: visible()
      .filter((field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value))
      .map((field) => [field.name, field.value]),
  });

  const keep = () => {
    store.write(DRAFT + name, draftNow());
    tab.write(VISIT + name, key.value);
  };

  const fill = (values) => {
    for (const field of visible()) {
      const given = values.filter(([fieldName]) => fieldName === field.name).map(([, value]) => value);
      if (field.type === "radio" || field.type === "checkbox") field.checked = given.includes(field.value);
      else if (given.length) field.value = given[0];
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };

  // Photos: a link, and after a low score the field itself, at once, lest the page move later under the guest's finger.
  // The field's script is loaded when it is wanted; without it no file stays chosen.
  const [link, files] = photos.querySelectorAll("button, [type=file]");
  const openPhotos = () => {
    const hadFocus = document.activeElement === link;
    link.hidden = true;
    files.parentNode.hidden = false;
    if (hadFocus) files.focus();
    photoScript().then((script) => script.show(photos)).catch(() => {
      files.value = "";
      if (!photos.dataset.count) waitingHere.photos = ""; // nor does a submission wait for one
    });
  };
  if (photos.dataset.on) {
    photos.hidden = false;
    if (photos.querySelector("[type=hidden]")) openPhotos(); // the keys of a redisplayed page
    link.addEventListener("click", openPhotos);
    form.addEventListener("change", ({ target }) => target.matches(".low-score:checked, [type=file]") && openPhotos());
  }

  // Show the photos that a draft has on this device, in the room that they had.
  const showPhotos = (draft) => {
    if (!draft.photos) return;
    photos.dataset.count = draft.photos;
    files.parentNode.style.minHeight = `${draft.photos}px`;
    openPhotos();
  };

  // Show a sentence in a place, with buttons: [text, action].
  const show = (place, text, ...buttons) => {
    place.textContent = text;
    place.hidden = !text;
    for (const [caption, action] of buttons) {
      const one = document.createElement("button");
      one.type = "button";
      one.textContent = caption;
      one.addEventListener("click", action);
      place.append(" ", one);
    }
  };

  const freeze = (frozen, caption) => {
    for (const field of visible()) field.disabled = frozen;
    for (const any of [button, ...languages]) any.disabled = frozen;
    button.textContent = (frozen && caption) || label;
  };

  // The guest may change the values again.
  const release = () => {
    snapshot = null;
    store.remove(WAITING + key.value);
    freeze(false);
    show(status, "");
  };

  const endVisit = () => {
    clearTimeout(timer);
    release();
    store.remove(DRAFT + name);
    form.reset();
    if (isReturned) tab.write("ended", returnedKey);
    key.value = newKey();
    show(kept, "");
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
      box.textContent = "";
      for (const message of errors[field]) {
        const line = document.createElement("p");
        line.textContent = message;
        box.append(line);
      }
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

  // The notice stands beside the button, which stays disabled while the submission waits.
  const retryLater = (text, seconds) => {
    show(status, text, ...(text ? [[status.dataset.retry, sendNow]] : []));
    button.textContent = status.dataset.later;
    const wait = seconds ? seconds * 1000 : pause * (0.5 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  };

  function sendNow() {
    clearTimeout(timer);
    button.textContent = form.dataset.sending;
    send();
  }

  // Errors that cannot be shown here, the server shows: it returns the page with all values.
  const sendNatively = () => {
    release();
    keep();
    tab.write("sent-natively", name);
    form.submit();
  };

  const handle = async (response) => {
    const { status: code } = response;
    const problem = code === 201 ? {} : await response.json().catch(() => ({}));
    if (code === 201) {
      const thanks = response.headers.get("Location");
      if (photos.dataset.count) await forgetPhotos(key.value);
      endVisit();
      location.assign(thanks);
    } else if (code === 429) {
      const seconds = retryAfter(response);
      retryLater(seconds > 10 ? status.dataset.busy : "", seconds);
    } else if (mayPass(response)) {
      retryLater(status.dataset.unavailable, retryAfter(response));
    } else if (code === 422) {
      release();
      key.value = newKey();
      keep();
      show(status, problem.detail || "");
    } else if (problem.errors) {
      release();
      keep();
      if (!showErrors(problem.errors)) sendNatively();
    } else {
      sendNatively();
    }
  };

  async function send() {
    const response = (await uploadPhotos(WAITING + key.value, waitingHere)) && (await post(form.action, snapshot));
    if (response) await handle(response);
    else retryLater(status.dataset.offline);
  }

  // `sent`: the values of an earlier page, hidden ones too, such as the version of the notice that the guest agreed to.
  const start = (sent, photosOf = (photos.dataset.count || files.value) && photos.dataset.src) => {
    snapshot = sent || Array.from(new FormData(form)).filter(([, value]) => typeof value === "string");
    pause = 1000;
    keep();
    waitingHere = { name, action: form.action, values: snapshot, draft: draftNow(), photos: photosOf };
    store.write(WAITING + key.value, waitingHere);
    show(kept, "");
    freeze(true, form.dataset.sending);
    clearErrors();
    send();
  };

  const restore = (draft) => {
    fill(draft.values);
    key.value = draft.key;
    showPhotos(draft);
    keep();
    const waiting = store.read(WAITING + draft.key);
    if (waiting) start(waiting.values, waiting.photos);
    else show(kept, kept.dataset.kept, [kept.dataset.startOver, endVisit]);
  };

  // Somebody typed it before on this device: the same guest, or the one before.
  const ask = (draft) => {
    const forget = () => {
      store.remove(DRAFT + name);
      if (draft.photos) forgetPhotos(draft.key);
      show(kept, "");
    };
    show(kept, kept.dataset.earlier, [kept.dataset.goOn, () => restore(draft)], [kept.dataset.forget, forget]);
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
    if (snapshot && timer) sendNow();
    sendOthers();
  });
  // After Back to a redisplayed page whose submission was sent: load an empty one for the next guest.
  const leaveIfEnded = () => {
    const hasEnded = isReturned && tab.read("ended") === returnedKey;
    if (hasEnded) location.replace(location.href);
    return hasEnded;
  };

  window.addEventListener("pageshow", (event) => {
    if (event.persisted && leaveIfEnded()) return;
    switching = false;
    if (!snapshot) freeze(false);
  });

  if (leaveIfEnded()) return;

  const draft = store.read(DRAFT + name);
  const isOurs = draft && tab.read(VISIT + name) === draft.key && draft.savedAt > Date.now() - VISIT_LIFE;
  if (draft && draft.pending) {
    // Written by the release before, which kept a submission that waits in its draft.
    store.write(WAITING + draft.key, { name, action: form.action, values: draft.sent, draft });
  }
  if (isReturned) {
    // A redisplayed page holds newer values than the draft.
    tab.remove("sent-natively");
    if (draft && draft.key === key.value) showPhotos(draft);
    keep();
  } else if (isOurs && (draft.values.length || draft.photos)) {
    restore(draft);
  } else if (draft && (store.read(WAITING + draft.key) || draft.savedAt < Date.now() - DRAFT_LIFE)) {
    store.remove(DRAFT + name); // it is sent by itself, or too old
    if (draft.photos) forgetPhotos(""); // and with it photos that are
  } else if (draft && (draft.values.length || draft.photos)) {
    ask(draft);
  }
  sendOthers();
})();
