// SPDX-License-Identifier: BSL-1.0
// Small helpers that every drawing module needs: making elements, keeping a list of them in step with data, and
// writing numbers for people.

export const $ = (id) => document.getElementById(id);

/// el('button', {class: 'x', onclick: f}, 'text', child...): attributes by name, functions as listeners.
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  fill(e, attributes, children);
  return e;
}
export function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  fill(e, attributes, children);
  return e;
}
function fill(e, attributes, children) {
  for (const [k, v] of Object.entries(attributes)) {
    if (typeof v === 'function') e.addEventListener(k.slice(2), v);
    else if (v !== null && v !== undefined && v !== false) e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
}

/// Writes only what differs, so that nothing is laid out again for nothing.
export function text(e, value) {
  if (e.textContent !== value) e.textContent = value;
}
export function set(e, name, value) {
  if (value === null || value === undefined || value === false) {
    if (e.hasAttribute(name)) e.removeAttribute(name);
  } else if (e.getAttribute(name) !== String(value)) {
    e.setAttribute(name, value);
  }
}

/// The children of `parent` become one element an item, in order; those with a known key are kept where they are.
export function keep(parent, items, key, make, update) {
  const old = parent.kept ?? new Map();
  const keys = items.map(key), wanted = new Set(keys);
  for (const [k, e] of old) {
    if (wanted.has(k)) continue;
    e.remove();
    old.delete(k);
  }
  let place = parent.firstChild;
  items.forEach((item, i) => {
    let e = old.get(keys[i]);
    if (!e) old.set(keys[i], (e = make(item)));
    update(e, item);
    if (e === place) place = place.nextSibling;
    else parent.insertBefore(e, place);
  });
  parent.kept = old;
}

export const clientName = (id) => `client ${id + 1}`;

/// A colour for a client; neighbours differ.
export const hue = (id) => Math.round((210 + id * 137.508) % 360);

export function seconds(us, digits = 3) {
  return `${(us / 1e6).toFixed(digits)} s`;
}

/// A duration as short as it can be said: 350 ms, 1.2 s, 63 s.
export function span(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 999500) return `${Number((us / 1000).toPrecision(3))} ms`;
  return us < 9.95e6 ? `${(us / 1e6).toFixed(1)} s` : `${Math.round(us / 1e6)} s`;
}

export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

const SEGMENTS = { S: 'SYN', SA: 'SYN-ACK', A: 'ACK', R: 'RST', RA: 'RST', FA: 'FIN', F: 'FIN' };
/// What a segment of the engine is called: SYN, ACK, 13 bytes.
export const segmentName = (s) => (s.flags === 'PA' || (s.bytes && s.flags === 'A') ? `${s.bytes} bytes` : SEGMENTS[s.flags] ?? s.flags);
