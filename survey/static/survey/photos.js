// The guest's photos: make them small, keep them on this device, upload them to the storage.
// submit.js imports this module where there are photos, and when the guest wants to add one.
// Must work in Chromium 74.

const LONGEST_SIDE = 1600; // pixels
const QUALITIES = [0.85, 0.6, 0.4]; // the next one where a photo is too large
const LIFE = 24 * 3600 * 1000; // milliseconds, as of a draft
const EXIF_BYTES = 128 * 1024; // in which a JPEG names its orientation
// A JPEG of 2 by 1 pixels whose EXIF says that it was turned: a browser that heeds it reads 1 by 2.
const TURNED = [
  "/9j/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI//",
  "//////////////////////////////////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////",
  "////////////////////////wAARCAABAAIDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAA",
  "AAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AIgAf//Z",
].join("");

// --- What is kept on this device: { id, visit, savedAt, blob, key } --------------------------------------------------

let database; // a promise; null where private windows forbid it
const memory = new Map();

const open = () =>
  new Promise((resolve) => {
    try {
      const request = indexedDB.open("photos", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("photos", { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch (error) {
      resolve(null);
    }
  });

// Run one request against the store; resolve with its result when it is on the disk, undefined where there is no store.
const stored = async (mode, ask) => {
  database = database || open();
  const opened = await database;
  if (!opened) return undefined;
  return new Promise((resolve) => {
    const transaction = opened.transaction("photos", mode);
    const request = ask(transaction.objectStore("photos"));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => resolve(undefined); // also after an error
  });
};

const save = (photo) => {
  memory.set(photo.id, photo);
  return stored("readwrite", (store) => store.put(photo));
};

const remove = (photo) => {
  memory.delete(photo.id);
  return stored("readwrite", (store) => store.delete(photo.id));
};

const all = async () => {
  for (const photo of (await stored("readonly", (store) => store.getAll())) || []) {
    if (!memory.has(photo.id)) memory.set(photo.id, photo);
  }
  return Array.from(memory.values());
};

const ofVisit = async (visit) =>
  (await all()).filter((photo) => photo.visit === visit).sort((one, other) => one.savedAt - other.savedAt);

// Delete the photos of a visit, and those of others that are too old and do not wait with a submission.
export const forget = async (visit) => {
  for (const photo of await all()) {
    const isOld = photo.savedAt < Date.now() - LIFE && !localStorage.getItem(`waiting:${photo.visit}`);
    if (photo.visit === visit || isOld) await remove(photo);
  }
};

// --- Making a photo small ---------------------------------------------------------------------------------------------

// Return the EXIF orientation of a JPEG, 1 to 8; 1 where it names none.
const orientationOf = async (file) => {
  const bytes = await new Response(file.slice(0, EXIF_BYTES)).arrayBuffer();
  const view = new DataView(bytes);
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return 1;
  for (let at = 2; at + 10 < view.byteLength; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint8(at) !== 0xff) return 1;
    if (view.getUint16(at) !== 0xffe1 || view.getUint32(at + 4) !== 0x45786966) continue;
    const start = at + 10; // of the TIFF structure
    const little = view.getUint16(start) === 0x4949;
    const first = start + view.getUint32(start + 4, little);
    const entries = view.getUint16(first, little);
    for (let entry = first + 2; entry < first + 2 + entries * 12; entry += 12) {
      if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little);
    }
    return 1;
  }
  return 1;
};

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

let heeds; // whether this browser turns photos by itself
const heedsOrientation = async () => {
  if (heeds === undefined) {
    const bitmap = await createImageBitmap(new Blob([bytesOf(TURNED)], { type: "image/jpeg" }));
    heeds = bitmap.width === 1;
  }
  return heeds;
};

// The canvas transforms by orientation, for a picture of width w and height h.
const TURNS = {
  2: (w) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (w, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

// Return a JPEG without any metadata, at most LONGEST_SIDE wide and high. Rejects for what is no picture.
const shrink = async (file, most) => {
  const bitmap = await createImageBitmap(file);
  const orientation = (await heedsOrientation()) ? 1 : await orientationOf(file).catch(() => 1);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = orientation > 4 ? [height, width] : [width, height];
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // behind transparent pictures
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (TURNS[orientation]) context.setTransform(...TURNS[orientation](width, height));
  context.drawImage(bitmap, 0, 0, width, height);
  for (const quality of QUALITIES) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= most) return blob;
  }
  throw new Error("too large");
};

// --- Uploading --------------------------------------------------------------------------------------------------------

const REFUSED = "refused";
const LATER = "later";
const mayPass = (status) => !status || status >= 500 || status === 408 || status === 429;

// Return { key, url } of a new object. Throws LATER or REFUSED.
const permission = async (url, blob) => {
  const request = {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ type: blob.type, size: blob.size }),
  };
  const response = await fetch(url, request).catch(() => ({ status: 0 }));
  if (response.status === 201) return response.json();
  throw mayPass(response.status) ? LATER : REFUSED;
};

// Send the object and resolve with the status, 0 without a response. fetch() reports no progress.
const put = (url, blob, progress) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("Content-Type", blob.type);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onloadend = () => resolve(request.status);
    request.send(blob);
  });

const running = new Map(); // id: the promise of an upload
const watchers = new Map(); // id: what shows a state and a progress

const tell = (photo, state, progress) => {
  const watch = watchers.get(photo.id);
  if (watch) watch(state, progress);
};

// Upload a photo once. Resolves with its key; null where it must wait, undefined where the storage refused it.
const uploadOne = (photo, url) => {
  if (photo.key) return Promise.resolve(photo.key);
  if (!running.has(photo.id)) {
    const upload = async () => {
      tell(photo, "sending", 0);
      try {
        const permitted = await permission(url, photo.blob);
        const status = await put(permitted.url, photo.blob, (progress) => tell(photo, "sending", progress));
        if (status < 200 || status > 299) throw mayPass(status) || status === 403 ? LATER : REFUSED;
        photo.key = permitted.key;
        await save(photo);
        tell(photo, "done", 1);
        return photo.key;
      } catch (error) {
        tell(photo, error === LATER ? "waiting" : "failed", 0);
        return error === LATER ? null : undefined;
      } finally {
        running.delete(photo.id);
      }
    };
    running.set(photo.id, upload());
  }
  return running.get(photo.id);
};

// Upload what a visit has left. Resolves with all keys, or null where one must wait. A refused photo is left out.
const upload = async (visit, url) => {
  const keys = await Promise.all((await ofVisit(visit)).map((photo) => uploadOne(photo, url)));
  return keys.includes(null) ? null : keys.filter(Boolean);
};

let taken = Promise.resolve(); // when the chosen photos are small and on this device

// Upload the photos of a waiting submission, and add their keys to its values and to the page that shows its form.
// Resolves with false where one must wait.
export const settle = async (entry, waiting) => {
  const place = document.getElementById("photos");
  // A file may have been chosen while this script was loaded: then settle() may be called before show().
  if (place && place.querySelector("[type=file]").files.length) await show(place).catch(() => {});
  await taken.catch(() => {});
  const visit = entry.slice("waiting:".length);
  const keys = await upload(visit, waiting.photos);
  if (!keys) return false;
  const shown = place && place.closest("form").elements.namedItem("submission_id").value === visit;
  const named = waiting.values.map(([, value]) => value);
  for (const key of keys.filter((one) => !named.includes(one))) {
    waiting.values.push(["photos", key]);
    if (!shown) continue;
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "photos", value: key });
    place.append(input);
  }
  waiting.photos = "";
  try {
    localStorage.setItem(entry, JSON.stringify(waiting)); // a retry has the same keys
  } catch (error) {
    // The page then keeps them in its memory alone.
  }
  return true;
};

// --- The field --------------------------------------------------------------------------------------------------------

// Show a photo with its state and its buttons.
const item = async (photo, texts, url, changed) => {
  const line = document.createElement("li");
  const canvas = document.createElement("canvas"); // no URL of a blob, which the page's policy would have to permit
  const bitmap = await createImageBitmap(photo.blob);
  [canvas.width, canvas.height] = [96, 96];
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  canvas.getContext("2d").drawImage(bitmap, left, top, side, side, 0, 0, 96, 96);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", texts.photo);
  const state = document.createElement("span");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", texts.sending);
  const button = (text, action) => {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = text;
    one.addEventListener("click", action);
    return one;
  };
  const retry = button(texts.retry, () => uploadOne(photo, url));
  const away = button(texts.remove, async () => {
    watchers.delete(photo.id);
    line.remove();
    await remove(photo);
    changed();
  });
  const watch = (name, progress) => {
    state.textContent = texts[name];
    bar.hidden = name !== "sending";
    bar.value = progress;
    retry.hidden = name !== "waiting" && name !== "failed";
  };
  watchers.set(photo.id, watch);
  watch(photo.key ? "done" : "waiting", 0);
  line.append(canvas, state, bar, retry, away);
  return line;
};

// Make the field work, with the photos that this visit has on this device. Rejects while offline.
const build = async (place) => {
  const url = place.dataset.src;
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  const input = place.querySelector("[type=file]");
  input.insertAdjacentHTML("beforebegin", await response.text());
  const [list, status] = place.querySelectorAll("ul, [role=status]");
  const texts = list.dataset;
  const { form } = input;
  const visit = () => form.elements.namedItem("submission_id").value;
  const changed = async () => {
    const photos = await ofVisit(visit());
    if (photos.length) place.dataset.count = photos.length;
    else delete place.dataset.count;
    input.hidden = photos.length >= Number(texts.most);
    input.parentNode.style.minHeight = ""; // which kept their room free
    form.dispatchEvent(new Event("input")); // the draft knows whether there are photos, and their height
  };
  const add = async (photos) => {
    list.append(...(await Promise.all(photos.map((photo) => item(photo, texts, url, changed)))));
    for (const photo of photos) uploadOne(photo, url).then(changed);
  };
  const take = async (files) => {
    const room = Number(texts.most) - list.children.length;
    status.textContent = files.length > room ? texts.full : "";
    for (const file of files.slice(0, room)) {
      try {
        const blob = await shrink(file, Number(texts.bytes));
        const id = Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
        const photo = { id, visit: visit(), savedAt: Date.now(), blob, key: "" };
        await save(photo);
        await add([photo]);
      } catch (error) {
        status.textContent = texts.unreadable;
      }
    }
    changed();
  };
  taken = ofVisit(visit()).then(add);
  const choose = () => {
    const files = Array.from(input.files);
    input.value = ""; // the event and the end of build() may both come here
    if (files.length) place.dataset.count = place.dataset.count || files.length; // a submission sent now waits for them
    taken = taken.then(() => take(files)); // one after the other, for they share the room
  };
  input.addEventListener("change", choose);
  form.addEventListener("reset", () => {
    forget(visit()); // whose key changes afterwards
    list.textContent = "";
    input.hidden = false;
    delete place.dataset.count;
    for (const key of place.querySelectorAll("[name=photos]")) key.remove();
  });
  await taken;
  if (input.files.length) choose(); // while this script was loaded
  await taken; // also of an event meanwhile
  changed();
};

let shown = null; // a promise
export const show = (place) => {
  shown = shown || build(place);
  return shown.catch((error) => {
    shown = null;
    throw error;
  });
};
