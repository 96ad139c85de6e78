// Elements, made and changed. All text goes in as text: a film may be called `<img src=x onerror=...>`.

/** Make an element: `h("a", {href, class, onclick, data: {job}}, "text", child, ...)`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ""));
  return element;
}

export const byId = id => document.getElementById(id);

/** Change a text only where it is another: what did not change is not read out, and stays selected. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide; a hidden element's focus goes to the first button beside it that is left. */
export function show(element, shown) {
  if (element.hidden === !shown) return;
  const held = !shown && element.contains(document.activeElement);
  element.hidden = !shown;
  if (held) focusNear(element);
}

function focusNear(element) {
  const group = element.closest("[data-group]") || element.closest("section");
  const next = group?.querySelector("button:not([hidden]):not(:disabled), select:not([hidden])");
  (next || group?.querySelector("h1") || byId("main")).focus();
}

/**
 * Make `parent` hold one child for each item, in their order. Children are kept by key: an element that has
 * the focus, a selection or an open part keeps it. `make(item)` returns a child, `update(child, item)` fills it.
 */
export function keep(parent, items, key, make, update) {
  const old = new Map([...parent.children].map(child => [child.dataset.key, child]));
  const focused = document.activeElement;
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = old.get(name);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = name;
    }
    old.delete(name);
    update?.(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of old.values()) {
    if (child.contains(focused)) neighbour(child)?.focus();
    child.remove();
  }
  if (focused !== document.activeElement && focused?.isConnected && parent.contains(focused)) focused.focus();
}

function neighbour(child) {
  const beside = child.nextElementSibling || child.previousElementSibling;
  if (beside?.matches("a, button")) return beside;
  return beside?.querySelector("a, button") || child.closest("tr")?.querySelector("a")
    || child.closest("section")?.querySelector("h1");
}

/** Do what a button stands for, once at a time. It is not disabled meanwhile: that would take the focus. */
export async function once(button, action) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    await action();
  } finally {
    button.ariaBusy = null;
  }
}

/**
 * Make `element` show something else, but only where `source` is another than it was made of. A link that has
 * the focus, and a part that is open, are found again by what they lead to or are called.
 */
export function remake(element, source, make) {
  const text = JSON.stringify(source);
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const opened = new Set([...element.querySelectorAll("details[open]")].map(part => part.dataset.name));
  element.replaceChildren(...make());
  for (const part of element.querySelectorAll("details")) part.open = opened.has(part.dataset.name);
  if (focused) element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

/** Fill a list of facts: pairs of a name and a text or element; pairs without a value are left out. */
export function facts(pairs) {
  const rows = pairs.filter(([, value]) => value).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h("dl", {class: "facts"}, rows);
}

/** A table with its headers: `columns` are texts, or `[text, class]`. */
export function table(label, columns, body) {
  const heads = columns.map(column => {
    const [text, kind] = [column].flat();
    return h("th", {scope: "col", class: kind}, text);
  });
  return h("table", {"aria-label": label}, h("thead", {}, h("tr", {}, heads)), body);
}

/** Show what went wrong, or nothing. */
export function complain(element, problem) {
  setText(element, problem ? problem.message : "");
  element.hidden = !problem;
}

/** Say something to who cannot see the page: what matters, once. */
export function say(sentence) {
  byId("said").textContent = sentence;
}
