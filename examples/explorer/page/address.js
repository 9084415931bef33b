// SPDX-License-Identifier: BSL-1.0
// A situation as the part of the address after '#', and back: short, readable, checked. Only what differs from the
// defaults is written. Example: #backlog=4&t=2500000&do=300000.s,400000.s,900000.k0,1000000.rtt:100000
import { DEFAULTS, TUNABLES } from './simulation.js';

const LETTERS = { syn: 's', raw_syn: 'w', ack: 'k', rst: 'r', data: 'd', accept: 'a', tick: 't', close: 'c', listen: 'l' };
const ACTS = Object.fromEntries(Object.entries(LETTERS).map(([what, letter]) => [letter, what]));
const MOST_ACTS = 2000;
const MOST_SEGMENTS = 400000;
export const LATEST = 3600e6;  ///< an hour of virtual time

class Wrong extends Error {}

function number(text, name, low, high) {
  const n = Number(text);
  if (text === '' || !Number.isFinite(n) || n < low || n > high) throw new Wrong(`${name} is no number from ${low} to ${high}`);
  return n;
}
const whole = (text, name, low, high) => Math.round(number(text, name, low, high));

// How each setting is written and read; `null` is written as "none".
const FIELDS = {
  preset: { out: (v) => v, in: (t) => { if (!/^[a-z0-9.-]{1,40}$/.test(t)) throw new Wrong('preset is no name'); return t; } },
  seed: { out: String, in: (t) => whole(t, 'seed', 0, 2 ** 32) },
  backlog: { out: String, in: (t) => whole(t, 'backlog', -(2 ** 31), 2 ** 31 - 1) },
  rtt: { out: String, in: (t) => whole(t, 'rtt', 0, 1e8) },
  loss: { out: String, in: (t) => number(t, 'loss', 0, 1) },
  arrivals: { out: (v) => `${v.rate}x${v.burst}`, in: (t) => { const [r, b = '1'] = t.split('x'); return { rate: number(r, 'arrivals', 0, 1e5), burst: whole(b, 'burst', 1, 1e4) }; } },
  accept: {
    out: (v) => v.every + (v.stall ? `;${v.stall.from}+${v.stall.for}` : ''),
    in: (t) => {
      const [every, stall] = t.split(';');
      const parts = stall?.split('+');
      return { every: whole(every, 'accept', 0, 1e9), stall: parts ? { from: whole(parts[0], 'stall', 0, LATEST), for: whole(parts[1] ?? '', 'stall', 0, LATEST) } : null };
    },
  },
  flood: { out: (v) => v.rate + (v.answers ? 'a' : ''), in: (t) => ({ rate: number(t.replace(/a$/, ''), 'flood', 0, 1e5), answers: t.endsWith('a') }) },
  data_after: { out: (v) => (v === null ? 'none' : String(v)), in: (t) => (t === 'none' ? null : whole(t, 'data_after', 0, LATEST)) },
  patience: { out: (v) => (v === null ? 'none' : String(v)), in: (t) => (t === 'none' ? null : whole(t, 'patience', 1, LATEST)) },
};
for (const name of TUNABLES) FIELDS[name] = { out: String, in: (t) => whole(t, name, 0, 2 ** 31 - 1) };

const flat = (settings) => ({ ...settings, ...settings.tunables, tunables: undefined });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function putSettings(settings, prefix, defaults, parts) {
  for (const [name, value] of Object.entries(flat(settings))) {
    if (value === undefined || !FIELDS[name] || same(value, defaults[name])) continue;
    parts.push(`${prefix}${name}=${FIELDS[name].out(value)}`);
  }
}

function put(settings, name, value) {
  if (TUNABLES.includes(name)) settings.tunables = { ...settings.tunables, [name]: value };
  else settings[name] = value;
}

export function encode({ settings, other, acts, now, chosen }) {
  const parts = [];
  putSettings(settings, '', DEFAULTS, parts);
  if (other) {
    parts.push('beside=1');
    putSettings(other, 'beside.', {}, parts);
  }
  if (now > 0) parts.push(`t=${Math.round(now)}`);
  const done = acts.filter((a) => a.at <= now).map((a) => a.set
    ? `${a.at}.${a.set}:${FIELDS[a.set].out(a.value)}`
    : `${a.at}.${LETTERS[a.what]}${a.client ?? ''}`);
  if (done.length) parts.push(`do=${done.join(',')}`);
  if (chosen !== null && chosen !== undefined) parts.push(`client=${chosen}`);
  return parts.join('&');
}

function readAct(text) {
  const m = /^(\d+)\.(?:([a-z])(\d*)|([a-z_]+):(.*))$/.exec(text);
  if (!m) throw new Wrong(`"${text.slice(0, 40)}" is nothing that can be done`);
  const at = whole(m[1], 'a time', 0, LATEST);
  if (m[4]) {
    if (!FIELDS[m[4]] || m[4] === 'preset' || m[4] === 'seed') throw new Wrong(`${m[4]} cannot be set while time passes`);
    return { at, set: m[4], value: FIELDS[m[4]].in(m[5]) };
  }
  if (!ACTS[m[2]]) throw new Wrong(`"${m[2]}" is nothing that can be done`);
  return { at, what: ACTS[m[2]], ...(m[3] === '' ? {} : { client: whole(m[3], 'a client', 0, 1e6) }) };
}

/// {story, step} or {settings, other, acts, now, chosen}; null for an empty fragment. Throws an Error with a sentence.
export function decode(fragment) {
  const result = { settings: structuredClone(DEFAULTS), other: null, acts: [], now: 0, chosen: null };
  try {
    const text = decodeURIComponent(fragment.replace(/^#/, ''));
    if (text === '') return null;
    for (const part of text.split('&')) {
      const cut = part.indexOf('=');
      const [name, value] = cut < 0 ? [part, ''] : [part.slice(0, cut), part.slice(cut + 1)];
      if (name === 'story') result.story = value;
      else if (name === 'step') result.step = whole(value, 'step', 0, 100);
      else if (name === 't') result.now = whole(value, 't', 0, LATEST);
      else if (name === 'client') result.chosen = whole(value, 'client', 0, 1e6);
      else if (name === 'beside') result.other ??= {};
      else if (name.startsWith('beside.') && FIELDS[name.slice(7)]) put((result.other ??= {}), name.slice(7), FIELDS[name.slice(7)].in(value));
      else if (name === 'do') result.acts = value.split(',').slice(0, MOST_ACTS).map(readAct);
      else if (FIELDS[name]) put(result.settings, name, FIELDS[name].in(value));
      else throw new Wrong(`"${name.slice(0, 40)}" is no setting`);
    }
    const rates = [result.settings, ...result.acts.map((a) => ({ [a.set]: a.value }))].map((s) => (s.arrivals?.rate ?? 0) + (s.flood?.rate ?? 0));
    if (Math.max(...rates) * (result.now / 1e6) * 4 > MOST_SEGMENTS) throw new Wrong('more happens until then than can be shown');
  } catch (e) {
    if (e instanceof Wrong || e instanceof URIError) throw new Error(`This link is not understood (${e.message}); here is the default.`);
    throw e;
  }
  return result;
}
