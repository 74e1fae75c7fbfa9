// The page of `potok templates preview`: asks, shows, follows the files. It changes nothing.
"use strict";

const one = (id) => document.getElementById(id);
const CHOICES = { tab: ["html", "text", "source", "headers"], width: ["phone", "desktop", "both"], mode: ["light", "dark"] };

const asked = new URLSearchParams(location.search);
const view = { lead: asked.get("lead") || "", tab: asked.get("tab"), width: asked.get("width"), mode: asked.get("mode") };
for (const [name, values] of Object.entries(CHOICES)) {
  if (!values.includes(view[name])) view[name] = name === "width" ? "both" : values[0];
}
let look = null;
let turn = 0;

function made(kind, words, looks) {
  const element = document.createElement(kind);
  if (words !== undefined) element.textContent = words;
  if (looks) element.className = looks;
  return element;
}

async function ask(path, given) {
  const answer = await fetch(`${path}?${new URLSearchParams(given)}`, { cache: "no-store" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error || answer.statusText);
  return said;
}

function remember() {
  const kept = new URLSearchParams(Object.entries(view).filter(([, value]) => value));
  history.replaceState(null, "", `/?${kept}`);
}

function tell(words) {
  one("note").textContent = words;
  one("note").hidden = !words;
}

async function refresh() {
  const mine = ++turn;
  try {
    const found = await ask("/look", { lead: view.lead });
    if (mine !== turn) return;
    look = found;
    if (!look.lead.invented) view.lead = look.lead.email;
    remember();
    show();
  } catch (error) {
    if (mine === turn) tell(error.message);
  }
}

const REASONS = { suppressed: "is suppressed", opted_out: "opted out", hard_bounce: "does not exist (hard bounce)", complaint: "complained", no_consent: "gave no consent", consent_withdrawn: "took consent back", erased: "is erased", merged: "is merged" };

function show() {
  const lead = look.lead;
  document.title = `${look.template} for ${lead.email}`;
  one("template").textContent = look.template;
  const who = one("lead");
  who.replaceChildren(made("b", lead.name || lead.email));
  who.append(` ${[lead.name ? lead.email : "", lead.company, lead.stage].filter(Boolean).join(" · ")}`);
  one("facts").textContent = look.wrong ? "" : [`language ${look.language}${lead.language && lead.language !== look.language ? ` (lead reads ${lead.language})` : ""}`, kilobytes(look.size), look.signed ? `signed for ${look.signed}` : "not signed"].join(" · ");
  tell(lead.invented ? "There is no lead yet, so this one is invented." : lead.left_out ? `Nobody would send this: the lead ${REASONS[lead.left_out] || lead.left_out}.` : "");
  one("sender").textContent = look.sender.replace(/ <.*/, "") || "—";
  one("subject").textContent = look.wrong ? "cannot be shown" : look.subject;
  one("first").textContent = look.first_words;
  findings();
  linked();
  stage();
}

const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;

function stage() {
  for (const name of Object.keys(CHOICES)) {
    for (const button of one(name).children) {
      button.setAttribute("aria-pressed", button.dataset.value === shownTab(name));
    }
  }
  for (const button of one("tab").children) {
    button.disabled = Boolean(look.wrong) || (!look.mail && ["html", "source"].includes(button.dataset.value));
  }
  const framed = !look.wrong && shownTab("tab") === "html";
  one("width").hidden = one("mode").hidden = !framed;
  if (look.wrong) one("stage").replaceChildren(wrong(look.wrong));
  else if (framed) frames();
  else if (shownTab("tab") === "text") one("stage").replaceChildren(made("pre", look.text, "letter"));
  else if (shownTab("tab") === "source") one("stage").replaceChildren(above(`HTML as it travels, ${kilobytes(look.html_size)}; Gmail cuts at 102 kB`), lines(look.source.split("\n").map((text, n) => [n + 1, text])));
  else one("stage").replaceChildren(headers());
}

// A text-only template has no HTML to show, whatever was chosen before.
const shownTab = (name) => (name === "tab" && look && !look.wrong && !look.mail && ["html", "source"].includes(view.tab) ? "text" : view[name]);

function above(words, link) {
  const line = made("p", undefined, "above");
  line.append(made("span", words));
  if (link) line.append(link);
  return line;
}

function headers() {
  const whole = document.createDocumentFragment();
  const file = made("a", "Save the complete message (.eml)");
  file.href = `/message.eml?${new URLSearchParams({ lead: view.lead })}`;
  const attached = look.attached.length ? `, attached: ${look.attached.join(", ")}` : "";
  whole.append(above(`The message has ${kilobytes(look.size)}${attached}. Its links opt nobody out.`, file), made("pre", look.headers));
  return whole;
}

function lines(numbered, bad) {
  const box = made("div", undefined, "lines");
  for (const [number, text] of numbered) {
    const line = made("div", text || " ", number === bad ? "bad" : "");
    line.dataset.line = number;
    box.append(line);
  }
  return box;
}

function wrong(what) {
  const box = made("div", undefined, "wrong");
  box.append(made("h1", what.what));
  if (what.where) box.append(made("code", what.where));
  if (what.lines.length) box.append(lines(what.lines, what.line));
  box.append(made("p", "The page comes back with the next save that works.", "quiet"));
  return box;
}

function frames() {
  const wanted = view.width === "both" ? ["phone", "desktop"] : [view.width];
  let row = one("stage").querySelector(".frames");
  if (!row || row.dataset.wanted !== wanted.join()) {
    row = made("div", undefined, "frames");
    row.dataset.wanted = wanted.join();
    for (const name of wanted) {
      const figure = made("figure", undefined, name);
      const device = made("div", undefined, "device");
      device.style.width = `${look.widths[name]}px`;
      resized.observe(device);
      figure.append(made("figcaption", `${name === "phone" ? "Phone" : "Desktop"}, ${look.widths[name]} px`), device);
      row.append(figure);
    }
    one("stage").replaceChildren(made("p", undefined, "remark"), row);
  }
  one("stage").querySelector(".remark").textContent = remark();
  one("stage").querySelector(".remark").hidden = view.mode === "light";
  wanted.forEach((name, n) => frame(row.children[n].querySelector(".device"), name));
}

function remark() {
  return look.dark_rules
    ? "The mail's own rules for dark screens. Some apps (Gmail, Outlook) change colours by themselves instead; no page can show that."
    : "This mail has no rules for dark screens, so it stays as it is; some apps (Gmail, Outlook) will change its colours by themselves, which no page can show.";
}

// The new mail loads behind the old one, so nothing flickers and the page stays where it is.
function frame(device, name) {
  const source = `/mail/${look.mail}?dark=${view.mode === "dark"}`;
  // A guess until the mail is there.
  if (!device.dataset.high) setHigh(device, look.heights[name]);
  device.classList.toggle("dark", view.mode === "dark");
  if (device.dataset.source === source) return;
  device.dataset.source = source;
  const fresh = made("iframe");
  // Of this origin, so that it can be measured; without allow-scripts nothing in it runs.
  fresh.setAttribute("sandbox", "allow-same-origin");
  fresh.title = `The mail at ${look.widths[name]} pixels`;
  fresh.style.colorScheme = view.mode;
  fresh.addEventListener("load", () => {
    if (device.dataset.source !== source) {
      fresh.remove();
      return;
    }
    // The others go and it stays: a frame that is put elsewhere loads again.
    for (const other of [...device.children]) if (other !== fresh) other.remove();
    fit(device);
  }, { once: true });
  fresh.src = source;
  device.append(fresh);
}

function setHigh(device, high) {
  device.dataset.high = high;
  device.style.height = `${high}px`;
}

// As high as its mail, so that one scrolls the page; who pulled the frame by hand keeps it so.
function fit(device) {
  const shown = device.firstElementChild;
  const mail = shown && shown.contentDocument;
  const root = mail && mail.URL !== "about:blank" && mail.documentElement;
  if (!root || device.style.height !== `${device.dataset.high}px`) return;
  // Next to no height makes it tell what it needs; scroll bars would take of its width.
  shown.style.height = "1px";
  root.style.overflow = "hidden";
  const needed = Math.max(root.scrollHeight, Math.ceil(root.getBoundingClientRect().height));
  const bar = root.scrollWidth > root.clientWidth ? 16 : 0;
  root.style.overflow = "";
  shown.style.height = "";
  const border = getComputedStyle(device).boxSizing === "border-box" ? device.offsetHeight - device.clientHeight : 0;
  setHigh(device, Math.max(80, needed + bar + border));
}

const resized = new ResizeObserver((seen) => {
  for (const { target, contentRect } of seen) {
    const wide = String(Math.round(contentRect.width));
    if (target.dataset.wide !== wide) {
      target.dataset.wide = wide;
      fit(target);
    }
  }
});

function findings() {
  const list = look.findings.map((found) => {
    const row = made("li", undefined, found.level);
    row.append(made("code", found.where), made("b", found.level), ` ${found.id}`, made("p", found.what), made("p", found.do));
    return row;
  });
  one("found").textContent = list.length ? `Findings (${list.length})` : "Findings";
  one("findings").replaceChildren(...(list.length ? list : [made("li", "Nothing to complain about.", "good")]));
}

function linked() {
  one("linked").hidden = !look.links.length;
  one("linked").querySelector("summary").textContent = `Links (${look.links.length})`;
  one("links").replaceChildren(...look.links.map(([words, address, how]) => {
    const row = made("li", words || "(no words)");
    const link = made("a", address);
    if (/^https?:/i.test(address)) {
      link.href = address;
      link.target = "_blank";
      link.rel = "noreferrer noopener";
    }
    row.append(made("br"), link, how ? ` (${how})` : "");
    return row;
  }));
}

function choose(name, value) {
  view[name] = value;
  remember();
  if (look) stage();
}

async function leaf(forward) {
  if (!view.lead) return;
  try {
    const { email } = await ask("/beside", { lead: view.lead, forward });
    if (email) go(email);
    else tell(forward ? "That was the last lead." : "This is the first lead.");
  } catch (error) {
    tell(error.message);
  }
}

function go(email) {
  view.lead = email;
  refresh();
}

// Search among the leads.
const search = one("search");
const offers = one("offers");
let typed = 0;

async function offer() {
  const mine = ++typed;
  // Looking through many leads takes a while: not for every letter of a word.
  await new Promise((done) => setTimeout(done, 150));
  if (mine !== typed) return;
  try {
    const found = await ask("/leads", { text: search.value });
    if (mine !== typed || document.activeElement !== search) return;
    offers.replaceChildren(...(found.length ? found.map(offered) : [made("li", "No lead like that.", "none")]));
    if (found.length) offers.firstChild.classList.add("at");
    opened(true);
  } catch (error) {
    tell(error.message);
  }
}

function offered(lead) {
  const row = made("li", lead.name || lead.email);
  row.setAttribute("role", "option");
  row.append(made("span", ` ${[lead.name ? lead.email : "", lead.company].filter(Boolean).join(" · ")}`));
  row.dataset.email = lead.email;
  row.addEventListener("mousedown", () => pick(row));
  return row;
}

function opened(open) {
  offers.hidden = !open;
  search.setAttribute("aria-expanded", open);
}

function pick(row) {
  opened(false);
  search.value = "";
  search.blur();
  if (row && row.dataset.email) go(row.dataset.email);
}

search.addEventListener("input", offer);
search.addEventListener("focus", offer);
search.addEventListener("blur", () => opened(false));
search.addEventListener("keydown", (event) => {
  const at = offers.querySelector(".at");
  const step = { ArrowDown: "nextSibling", ArrowUp: "previousSibling" }[event.key];
  if (step && at && at[step]) {
    at.classList.remove("at");
    at[step].classList.add("at");
    at[step].scrollIntoView({ block: "nearest" });
  }
  if (step) event.preventDefault();
  if (event.key === "Enter") pick(at);
  if (event.key === "Escape") pick(null);
});

for (const name of Object.keys(CHOICES)) {
  one(name).addEventListener("click", (event) => {
    if (event.target.dataset.value) choose(name, event.target.dataset.value);
  });
}
one("previous").addEventListener("click", () => leaf(false));
one("next").addEventListener("click", () => leaf(true));

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = {
    j: () => leaf(true), ArrowRight: () => leaf(true), k: () => leaf(false), ArrowLeft: () => leaf(false),
    "/": () => search.focus(), d: () => choose("mode", view.mode === "dark" ? "light" : "dark"),
    p: () => choose("width", "phone"), w: () => choose("width", "desktop"), b: () => choose("width", "both"),
  };
  CHOICES.tab.forEach((name, n) => { keys[n + 1] = () => one("tab").children[n].disabled || choose("tab", name); });
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

function state(name, words) {
  one("state").className = `state ${name}`;
  one("state").textContent = words;
}

const changes = new EventSource("/changes");
changes.addEventListener("open", () => state("live", "live"));
changes.addEventListener("error", () => state("lost", "no connection"));
changes.addEventListener("message", (event) => {
  if (!look || look.stamp !== event.data) refresh();
});

ask("/count", {}).then(({ count }) => { search.placeholder = `Search ${count.toLocaleString("en")} leads`; }, () => {});
refresh();
