// What the pages need beyond HTML: forms that carry the CSRF token, and a page that follows the journal and says when it
// does not. Knows no text: every word stands in the page.

const RESTS_MS = 10 * 60_000; // nobody touched the page: it stops, so that an unattended session comes to its end
const LOOK_MS = 15_000; // what is no event of the journal (a level, a count) is seen within so much time
const SLEPT_MS = 45_000; // a timer that comes so late: the machine slept
const AGAIN_MS = 3_000; // while the gateway does not answer
const SOON_MS = 300; // events that come together make one look
const ANSWER_MS = 10_000; // a gateway that lost its power refuses nothing: it is just silent
const csrf = document.querySelector("meta[name=csrf]").content;
const fresh = document.getElementById("fresh");
const stream = document.body.dataset.stream; // a screen on the wall: nobody touches it, and it has no session to end

// -- forms ------------------------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.send) return;
  event.preventDefault();
  send(form);
});

async function send(form) {
  const buttons = form.querySelectorAll("button");
  for (const one of buttons) one.disabled = true;
  const told = form.querySelector(".told") ?? form.parentElement.querySelector(".told");
  if (told) told.textContent = "";
  try {
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    const headers = { "x-csrf-token": csrf, "content-type": "application/json" };
    const answer = await fetch(form.action, { method: "POST", headers, body });
    if (answer.redirected) location.assign(answer.url);
    else await show(answer, form, told);
  } catch {
    if (told) told.textContent = fresh.dataset.unanswered;
  } finally {
    for (const one of buttons) one.disabled = false;
  }
}

async function show(answer, form, told) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  for (const one of form.querySelectorAll("input[type=password]")) one.value = "";
  if (main && (answer.ok || answer.status === 409)) {
    const at = document.querySelector("main");
    at.replaceChildren(...main.childNodes);
    document.title = page.title;
    watched = "";
    at.focus();
  } else if (told) {
    told.textContent = page.getElementById("told")?.textContent ?? fresh.dataset.failed.replace("{code}", answer.status);
    form.querySelector("input[type=password]")?.focus();
  }
}

// -- a clock that people compare with theirs --------------------------------------------------------------------------

const opened = performance.now();
const clocks = [...document.querySelectorAll("time[data-ticks]")].map((one) => [one, Date.parse(`${one.dataset.ticks.replace(" ", "T")}Z`)]);
if (clocks.length) setInterval(tickOn, 500);

function tickOn() {
  for (const [one, began] of clocks)
    one.textContent = new Date(began + performance.now() - opened).toISOString().slice(0, 19).replace("T", " ");
}

// -- following --------------------------------------------------------------------------------------------------------

let seq = Number(document.body.dataset.seq);
let journal = document.body.dataset.journal;
let watched = document.body.dataset.follow ?? document.body.dataset.watch ?? "";
let source = null;
let wanted = 0;
let again = 0;
let looking = false;
let touched = Date.now();
let ticked = Date.now();
let at = new Date();

function say(state) {
  fresh.dataset.state = state;
  const time = at.toLocaleTimeString(document.documentElement.lang, { hour12: false });
  const words = fresh.dataset[state].replace("{time}", time).replace("{seq}", seq);
  const says = fresh.querySelector(".says");
  if (says.textContent !== words) says.textContent = words;
  const door = fresh.querySelector("a");
  if (door) door.hidden = state !== "out";
  clearTimeout(again);
  if (state === "stale") again = setTimeout(tick, AGAIN_MS);
}

function follow() {
  if (fresh.dataset.state === "out" && !stream) return;
  if (frames) listen();
  if (source) return;
  source = new EventSource(`${stream ?? "/api/v1/events"}?after=${seq}`);
  source.onopen = () => say("live");
  source.addEventListener("gap", () => look());
  source.addEventListener("end", () => (leave(), soon())); // the look finds out what became of the session
  source.onmessage = (event) => {
    const cut = event.lastEventId.lastIndexOf("-");
    const number = Number(event.lastEventId.slice(cut + 1));
    if (event.lastEventId.slice(0, cut) !== journal || number > seq) soon();
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) leave();
    say("stale"); // while it connects anew by itself, too: with the id of the last event that it saw
  };
}

function leave() {
  source?.close();
  source = null;
  if (frames) hush("waits");
}

function soon() {
  if (!wanted) wanted = setTimeout(look, SOON_MS);
}

async function look() {
  clearTimeout(wanted);
  wanted = 0;
  if (looking) return soon();
  looking = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout?.(ANSWER_MS) });
    if (answer.redirected || answer.status === 401) {
      leave();
      say("out");
      if (stream) for (const part of document.querySelectorAll("[data-part]")) part.replaceChildren();
    } else if (answer.ok || answer.status === 409) {
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      follow();
      if (source) say(source.readyState === EventSource.OPEN ? "live" : "stale");
    } else say("stale");
  } catch {
    say("stale");
  } finally {
    looking = false;
  }
}

function take(page) {
  const to = page.body.dataset;
  const script = (one) => one.querySelector("script[type=module]").getAttribute("src");
  if (stream && script(page) !== script(document)) return location.reload(); // the gateway was upgraded meanwhile
  if (to.journal === journal && Number(to.seq) < seq) return; // an older look that came late
  if (to.journal !== journal) leave();
  [seq, journal, at] = [Number(to.seq), to.journal, new Date()];
  if (document.body.dataset.watch) return stillAsked(page);
  for (const part of page.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old && old.innerHTML !== part.innerHTML) replace(old, part);
  }
  fit();
}

// Nobody scrolls a wall: what the screen has no room for is counted instead, whatever its size and its letters.
function fit() {
  for (const more of document.querySelectorAll("[data-total]")) {
    const room = more.closest("section");
    const them = [...room.querySelectorAll("ul > li")];
    for (const one of them) one.hidden = false;
    for (let shown = them.length; ; shown -= 1) {
      const left = Number(more.dataset.total) - shown;
      more.hidden = left <= 0;
      more.textContent = more.dataset.words.replace("{count}", left);
      if (shown <= 1 || room.scrollHeight <= room.clientHeight + 1) break;
      them[shown - 1].hidden = true;
    }
  }
}

// A form is never taken from under somebody's hands: it says that its question is gone, and the door refuses it anyway.
function stillAsked(page) {
  const told = document.querySelector("main form .told");
  if (!told || page.getElementById("still")) return;
  told.textContent = page.querySelector("#told h1")?.textContent ?? fresh.dataset.stale;
}

function replace(old, part) {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const key = active && (active.id || active.getAttribute("href"));
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  if (active?.closest("form.dirty")) return;
  old.replaceChildren(...part.childNodes);
  old.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? false));
  if (!active) return;
  const again = [...old.querySelectorAll("a, button, summary")].find((one) => key && (one.id || one.getAttribute("href")) === key);
  if (again) again.focus();
  else {
    old.tabIndex = -1;
    old.focus();
  }
}

function tick() {
  const now = Date.now();
  const slept = now - ticked > SLEPT_MS;
  ticked = now;
  if (!watched || document.hidden || (fresh.dataset.state === "out" && !stream)) return;
  if (!stream && now - touched > RESTS_MS) {
    leave();
    say("rest");
    return;
  }
  if (slept) say("stale");
  look();
}

function touch() {
  const rested = fresh.dataset.state === "rest";
  touched = Date.now();
  if (rested) look();
}

// -- what passes on a machine's line ----------------------------------------------------------------------------------

const frames = document.getElementById("frames");
const pause = document.getElementById("tap-pause");
let tap = null;
let paused = false;

function listen() {
  if (tap || paused) return;
  tap = new EventSource(frames.dataset.tap);
  tap.addEventListener("begin", () => {
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false });
    put([gap(frames.dataset.begin.replace("{time}", time))]);
    tell("live");
  });
  tap.addEventListener("end", () => (hush("waits"), soon()));
  tap.onmessage = (event) => {
    const { lost, lines } = JSON.parse(event.data);
    put([...(lost ? [gap(lost)] : []), ...lines.map(frame)]);
  };
  tap.onerror = () => (tap.readyState === EventSource.CLOSED ? hush("refused") : tell("waits"));
}

function hush(state) {
  tap?.close();
  tap = null;
  tell(paused ? "paused" : state);
}

function tell(state) {
  const says = document.getElementById("tap-state");
  if (says.textContent !== says.dataset[state]) says.textContent = says.dataset[state];
}

function drawn(name) {
  return document.getElementById(`frame-${name}`).content.firstElementChild.cloneNode(true);
}

function gap(words) {
  const one = drawn("gap");
  one.textContent = words;
  return one;
}

function frame(line) {
  const one = drawn(["write", "read"].includes(line.way) ? line.way : "other");
  const bytes = one.querySelector("details");
  one.querySelector(".t").textContent = line.t;
  one.querySelector(".says").textContent = line.says;
  (line.hex ? bytes.querySelector("summary") : one.querySelector(".size")).textContent = line.size ?? "";
  if (line.hex) bytes.querySelector("code").textContent = line.hex;
  else bytes.remove();
  return one;
}

// Whoever scrolled back, or opened a frame's bytes and reads them, is not carried off to the end.
function put(lines) {
  const box = frames.parentElement;
  const ends = box.scrollHeight - box.scrollTop - box.clientHeight < 40 && !frames.contains(document.activeElement);
  frames.append(...lines);
  while (frames.childElementCount > Number(frames.dataset.most)) {
    if (frames.firstElementChild.contains(document.activeElement)) box.focus({ preventScroll: true });
    frames.firstElementChild.remove();
  }
  if (ends) box.scrollTop = box.scrollHeight;
}

if (pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? pause.dataset.on : pause.dataset.pause;
    if (paused) hush("paused");
    else tick();
  });
}

if (fresh && watched) {
  follow();
  fit();
  addEventListener("resize", fit);
  setInterval(tick, LOOK_MS);
  for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, touch, { passive: true });
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  addEventListener("offline", () => say("stale"));
  addEventListener("online", tick);
  addEventListener("pageshow", (event) => event.persisted && look());
}

// -- a screen on the wall ---------------------------------------------------------------------------------------------

// Its link carries the token behind the mark, which no browser sends and no server logs; then the address forgets it.
const key = document.querySelector("form[data-key]");
if (key && location.hash.length > 1) {
  key.elements.token.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  key.requestSubmit();
}
