// SPDX-License-Identifier: BSL-1.0
// The three drawings that look back: the sequence diagram of one client, the depth of both queues, connect latency.
// Each is an SVG made anew from the events; long histories are thinned to what a screen can show.
import { svg, el, seconds, span, hue, clientName, segmentName } from './dom.js';

const ROW = 30, ROWS = 60;

/// Text of a drawing; `anchor` is start, middle or end.
const label = (x, y, words, anchor = 'start', cls = 'soft') => svg('text', { class: cls, x, y, 'text-anchor': anchor }, words);
const line = (cls, x1, y1, x2, y2, more = {}) => svg('line', { class: cls, x1, y1, x2, y2, ...more });

/// The segments and turns of one client, oldest first. Returns the SVG's accessible text, too.
export function sequence(into, events, client) {
  const when = (e) => (e.kind === 'segment' ? e.sent : e.at);
  const mine = events.filter((e) => e.client === client && e.client !== null && (e.kind !== 'timer' || e.why)).sort((a, b) => when(a) - when(b) || a.n - b.n);
  const shown = mine.slice(-ROWS);
  if (!shown.length) {
    into.replaceChildren(el('p', { class: 'soft' }, 'Choose a client above; what it sends and gets is drawn here.'));
    return;
  }
  const width = Math.max(300, Math.min(620, into.clientWidth || 420));
  const left = 84, right = width - 34;
  const rows = shown.map((e, i) => ({ e, y: 50 + i * ROW }));
  const height = 60 + shown.length * ROW;
  const chart = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': shown.map(say).join('; ') });
  chart.append(
    label(left, 16, clientName(client), 'middle', 'head'),
    label(right + 30, 16, 'listener', 'end', 'head'),
    line('axis', left, 24, left, height),
    line('axis', right, 24, right, height));
  const colour = `hsl(${hue(client)} 65% var(--lum))`;
  for (const { e, y } of rows) {
    chart.append(label(left - 8, y - 4, seconds(when(e)), 'end'));
    if (e.kind !== 'segment') {
      const here = e.kind === 'connect' || e.kind === 'error';
      chart.append(label(here ? left + 8 : right - 8, y - 2, turn(e), here ? 'start' : 'end', e.kind === 'error' ? 'bad' : 'soft'));
      continue;
    }
    const from = e.to_server ? left : right;
    const to = e.lost ? (left + right) / 2 : e.to_server ? right : left;
    const dir = Math.sign(to - from);
    chart.append(
      line('', from, y - 7, to, y + 3, { stroke: colour, 'stroke-width': 1.8 }),
      e.lost ? label(to + 8 * dir, y + 7, '✕', 'middle', 'bad')
        : svg('path', { d: `M${to} ${y + 3} l${-9 * dir} -5 l0 9 z`, fill: colour }),
      label((left + right) / 2, y - 9, words(e), 'middle', ''));
  }
  if (mine.length > shown.length) chart.append(label(left + 8, 34, `${mine.length - shown.length} earlier ones are not shown`));
  into.replaceChildren(chart);
}

const VERDICTS = {
  admitted: 'request noted', promoted: 'to the accept queue', overflow_kept: 'ignored, no room', overflow_reset: 'no room, RST',
  dropped_accept_full: 'dropped, accept queue full', dropped_request_full: 'dropped, request queue full', duplicate_syn: 'known already',
};
const verdict = (e) => VERDICTS[e.verdict] ?? (e.verdict ?? '').replaceAll('_', ' ');
function words(e) {
  const name = segmentName(e);
  const end = e.lost ? ', lost' : e.to_server && e.verdict ? `: ${verdict(e)}` : '';
  return name + end;
}
function turn(e) {
  return { connect: 'connect() returns', error: e.error ?? e.why ?? 'connect() fails', accept: 'accept() returns it', timer: `timer: ${verdict(e) || 'fires'}` }[e.kind] ?? e.kind;
}
const say = (e) => (e.kind === 'segment' ? `${seconds(e.sent)} ${e.to_server ? 'client' : 'listener'}: ${words(e)}` : `${seconds(e.at)} ${turn(e)}`);

/// Round numbers from `low` to `high` for an axis.
function ticks(low, high, most = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / most, base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= raw);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

/// A frame with axes; x and y say where a value is. `xmarks`: a logarithmic x axis with just these marks; `ylog`: decades.
export function frame({ xs, ys, xlabel, ylabel, width = 460, height = 190, xmarks = null, ylog = false, says }) {
  const [x0, x1] = xs, [y0, y1] = ys;
  const left = 52, right = width - 14, top = 18, bottom = height - 34;
  const tx = xmarks ? (v) => Math.log10(Math.max(v, x0)) : (v) => v;
  const x = (v) => left + ((tx(v) - tx(x0)) / (tx(x1) - tx(x0) || 1)) * (right - left);
  const ty = ylog ? (v) => Math.log10(Math.max(v, y0)) : (v) => v;
  const y = (v) => bottom - ((ty(v) - ty(y0)) / (ty(y1) - ty(y0) || 1)) * (bottom - top);
  const chart = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': says });
  const marks = ylog
    ? Array.from({ length: Math.round(Math.log10(y1 / y0)) + 1 }, (_, i) => y0 * 10 ** i)
    : ticks(0, y1);
  for (const v of marks) {
    chart.append(line('grid', left, y(v), right, y(v)),
      label(left - 6, y(v) + 4, ylog && v < 0.001 ? v.toExponential(0) : String(Number(v.toPrecision(3))), 'end'));
  }
  for (const v of xmarks ?? ticks(x0, x1)) {
    chart.append(label(x(v), bottom + 15, String(Number(v.toPrecision(4))), 'middle'));
  }
  chart.append(svg('path', { class: 'axis', d: `M${left} ${top} V${bottom} H${right}` }),
    label(right, height - 4, xlabel, 'end'),
    label(4, 11, ylabel));
  return { chart, x, y, left, right, top, bottom };
}

/// At most `most` points, each the highest of its stretch.
function thin(points, most, value) {
  if (points.length <= most) return points;
  const step = points.length / most, out = [];
  for (let i = 0; i < most; ++i) {
    const part = points.slice(Math.floor(i * step), Math.floor((i + 1) * step));
    out.push(part.reduce((a, b) => (value(b) > value(a) ? b : a)));
  }
  return out;
}

/// Requests, young ones, and those that wait for accept(), as steps; the limits dashed.
export function depths(into, events, state, now) {
  const points = thin(events.filter((e) => e.queues), 500, (e) => e.queues.requests + e.queues.waiting);
  const q = state.queues, end = Math.max(now / 1e6, 0.001);
  const start = events.length && events[0].n > 0 ? events[0].at / 1e6 : 0;  // older ones are forgotten
  const high = Math.max(2, ...points.map((e) => Math.max(e.queues.requests, e.queues.waiting)));
  const says = `Depth of the queues until ${seconds(now)}: at most ${high}; now ${q.requests} requests, ${q.young} of them young, and ${q.waiting} waiting for accept().`;
  const f = frame({ xs: [start, end], ys: [0, high * 1.1], xlabel: 'virtual time, s', ylabel: 'entries', says });
  const steps = (pick, cls) => {
    let d = '';
    points.forEach((e, i) => { const v = pick(e.queues); d += i ? `H${f.x(e.at / 1e6).toFixed(1)}V${f.y(v).toFixed(1)}` : `M${f.x(start).toFixed(1)} ${f.y(start > 0 ? v : 0).toFixed(1)}H${f.x(e.at / 1e6).toFixed(1)}V${f.y(v).toFixed(1)}`; });
    if (d) f.chart.append(svg('path', { class: cls, d: `${d}H${f.x(end).toFixed(1)}` }));
  };
  for (const n of [state.limits.accept_slots, state.limits.request_slots]) {
    if (n <= high * 1.1) f.chart.append(line('limit', f.left, f.y(n), f.right, f.y(n)));
  }
  steps((v) => v.requests, 'a');
  steps((v) => v.young, 'c');
  steps((v) => v.waiting, 'b');
  into.replaceChildren(f.chart, el('figcaption', {}, el('i', { class: 'key' }), `requests ${q.requests}`, el('i', { class: 'key c' }), `young ${q.young}`,
    el('i', { class: 'key b' }), `accept queue ${q.waiting}`));
}

/// When each connect() returned, and how long it took.
function connects(events) {
  const started = new Map(), points = [];
  for (const e of events) {
    if (e.client === null || e.client === undefined) continue;
    if (e.kind === 'segment' && e.flags === 'S' && !started.has(e.client)) started.set(e.client, e.sent);
    if (e.kind === 'connect' && started.has(e.client)) points.push({ at: e.at, took: e.at - started.get(e.client) });
  }
  return points;
}

/// A dot for each connect() that returned, of one world or two; circles for the second.
export function latency(into, histories, now) {
  const worlds = histories.map(connects);
  const all = worlds.flat();
  if (!all.length) return into.replaceChildren(el('p', { class: 'soft' }, 'No connect() has returned yet.'));
  const said = worlds.map((points, i) => {
    const took = points.map((p) => p.took).sort((a, b) => a - b);
    const words = took.length ? `${took.length} connected; the median took ${span(took[Math.floor((took.length - 1) / 2)])}, the longest ${span(took.at(-1))}` : 'nobody connected';
    return worlds.length > 1 ? `${i ? 'B, circles' : 'A, dots'}: ${words}.` : `${words}.`;
  }).join(' ');
  const [unit, name] = all.some((p) => p.took >= 1e6) ? [1e6, 's'] : [1e3, 'ms'];
  const high = Math.max(...all.map((p) => p.took)) / unit * 1.1;
  const f = frame({ xs: [0, Math.max(now / 1e6, 0.001)], ys: [0, high], xlabel: 'virtual time, s', ylabel: `connect() took, ${name}`, says: said });
  for (const v of [1, 3, 7, 15]) {
    if (unit === 1e6 && v < high) f.chart.append(line('limit', f.left, f.y(v), f.right, f.y(v)), label(f.right, f.y(v) - 3, `${v} s`, 'end'));
  }
  worlds.forEach((points, i) => {
    for (const p of thin(points, 600, (q) => q.took)) f.chart.append(svg('circle', { class: i ? 'ring' : 'dot', cx: f.x(p.at / 1e6).toFixed(1), cy: f.y(p.took / unit).toFixed(1), r: i ? 4 : 3 }));
  });
  return into.replaceChildren(f.chart, el('figcaption', {}, said));
}
