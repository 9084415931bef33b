// SPDX-License-Identifier: BSL-1.0
// The sizing panel: asks the engine how big a backlog should be, and shows closed forms beside the simulation: the
// window rate x stall <= backlog <= service x deadline, a table, loss and wait over the backlog, and where they disagree.
import { $, el, svg, text, span } from './dom.js';
import { frame } from './charts.js';
import { askAside } from './engine_link.js';

// name in the request, label, default as shown, unit, least, most
const FIELDS = [
  ['rate', 'clients a second', 2000, 1, 0.01, 200000],
  ['burst', 'arriving together', 20, 1, 1, 10000],
  ['stall', 'the application stalls for, ms', 300, 1000, 0, 60000],
  ['every', 'once in, s', 10, 1e6, 0.001, 3600],
  ['service', 'accepts a second it can do', 2500, 1, 0.01, 200000],
  ['rtt', 'round trip, ms', 50, 1000, 0, 10000],
  ['deadline', 'a client gives up after, s', 3, 1e6, 0.001, 120],
  ['never_ack', 'SYNs never answered, %', 0, 0.01, 0, 100],
];

const FLOOR = 1e-5;
const share = (v) => (v === null || v === undefined ? '-' : v === 0 ? '0' : v < FLOOR ? '< 0.001 %' : `${Number((100 * v).toPrecision(2))} %`);
const wait = (v, late) => (v === null || v === undefined ? late : span(v));

export function startSizing(presets) {
  const inputs = {};
  for (const [name, label, value, , low, high] of FIELDS) {
    inputs[name] = el('input', { id: `size-${name}`, type: 'number', value, min: low, max: high, step: 'any', inputmode: 'decimal' });
    $('sizing-form').append(el('div', { class: 'control' }, el('label', { for: `size-${name}` }, label), inputs[name]));
  }
  const preset = el('select', { id: 'size-preset' }, ...presets.map((p) => el('option', { value: p.name }, p.title)));
  preset.value = 'linux-6.18';
  const syns = el('select', { id: 'size-syns' }, el('option', { value: 'doubling' }, 'after 1, 3, 7 s'), el('option', { value: 'linear' }, 'each second (Linux 6.5 on)'));
  const button = el('button', { class: 'primary', id: 'size-go' }, 'Calculate and simulate');
  const backlogs = el('input', { id: 'size-backlogs', type: 'text', inputmode: 'numeric', placeholder: 'chosen around the window' });
  $('sizing-form').append(
    el('div', { class: 'control wide' }, el('label', { for: 'size-preset' }, 'listener'), preset),
    el('div', { class: 'control wide' }, el('label', { for: 'size-syns' }, 'clients call again'), syns),
    el('div', { class: 'control wide' }, el('label', { for: 'size-backlogs' }, 'backlogs to compare'), backlogs),
    el('p', {}, button));

  const request = () => {
    const r = { do: 'sizing', preset: preset.value, syns: syns.value, seed: 1 };
    for (const [name, , value, unit] of FIELDS) {
      const v = inputs[name].value === '' ? value : Number(inputs[name].value);
      r[name] = unit >= 1000 ? Math.round(v * unit) : v * unit;
    }
    const list = backlogs.value.split(/[\s,]+/).filter((t) => /^\d+$/.test(t)).map(Number);
    if (list.length) r.backlogs = list.slice(0, 8);
    return r;
  };
  const go = async () => {
    button.disabled = true;
    text($('sizing-answer'), 'Simulating...');
    try {
      show(await askAside(request()));
    } catch (e) {
      text($('sizing-answer'), e.message);
    }
    button.disabled = false;
  };
  $('sizing-form').addEventListener('submit', (e) => { e.preventDefault(); go(); });
  // It costs a moment, so it is done when somebody gets there.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((e) => e.isIntersecting)) return;
    seen.disconnect();
    go();
  });
  seen.observe($('sizing-form'));
}

function show(a) {
  const w = a.window;
  $('sizing-answer').replaceChildren(
    el('p', { class: 'answer', id: 'sizing-window', 'data-least': w.least, 'data-most': w.most }, `${w.text} ${a.advice ?? ''}`),
    ...[w.remedy, `Load: ${a.load.text}`, `Requests: ${a.requests.text}`].filter(Boolean).map((t) => el('p', {}, t)),
    ...a.warnings.map((t) => el('p', { class: 'notice' }, t)),
    table(a), el('div', { class: 'columns' }, plot(a, 'loss'), plot(a, 'p99')),
    el('p', { class: 'soft' }, `${a.clients} clients were simulated against the listener itself. The formula for those turned away is M/M/1/K, or what a stall brings beyond the places, whichever is more.`));
}

function table(a) {
  const head = ['listen(N)', 'turned away: formula', 'simulated', 'wait, 99 %: formula', 'simulated', 'after the deadline: formula', 'simulated', ''];
  const rows = a.rows.map((r) => {
    const within = (v, pm) => share(v) + (pm ? ` ± ${share(pm)}` : '');
    return el('tr', { 'data-backlog': r.backlog }, ...[
      String(r.backlog), share(Math.max(r.closed.loss, r.closed.stall_loss ?? 0)), within(r.simulated.loss, r.simulated.loss_pm),
      wait(r.closed.p99, 'too late'), wait(r.simulated.p99, 'too late'), share(r.closed.beyond), within(r.simulated.beyond, r.simulated.beyond_pm),
    ].map((t) => el('td', { class: 'n' }, t)), el('td', { class: 'say' }, (r.disagree ? '⚠ ' : '') + r.text));
  });
  return el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Backlogs compared' }, el('table', { id: 'sizing-table' },
    el('thead', {}, el('tr', {}, ...head.map((t) => el('th', { class: 'n' }, t)))), el('tbody', {}, ...rows)));
}

/// Formula as a line, simulation as dots with their bars; the window is shaded.
function plot(a, what) {
  const xs = a.rows.map((r) => Math.max(r.backlog, 1));
  const loss = what === 'loss';
  const late = a.asked.deadline / 1e6;
  const closed = (r) => (loss ? Math.max(r.closed.loss, r.closed.stall_loss ?? 0) : (r.closed.p99 ?? a.asked.deadline) / 1e6);
  const simulated = (r) => (loss ? r.simulated.loss : (r.simulated.p99 ?? a.asked.deadline) / 1e6);
  const low = loss ? FLOOR : 1e-4;
  const high = loss ? 1 : 10 ** Math.ceil(Math.log10(Math.max(late, ...a.rows.map(simulated), ...a.rows.map(closed))));
  const label = loss ? 'Share of clients turned away, over the backlog' : 'Wait of 99 in 100 clients, over the backlog';
  const x0 = Math.min(...xs) / 1.3, x1 = Math.max(...xs) * 1.3;
  const marks = xs.filter((v, i) => i === 0 || v / xs[i - 1] > 1.6);
  const f = frame({ xs: [x0, x1], ys: [low, high], xmarks: marks, ylog: true, xlabel: 'backlog', ylabel: loss ? 'share turned away' : 'wait of 99 %, s', says: label });
  const w = a.window;
  if (!w.empty) {
    const from = f.x(Math.min(x1, Math.max(x0, w.least))), to = f.x(Math.min(x1, Math.max(x0, w.most)));
    f.chart.insertBefore(svg('rect', { class: 'window', x: from, y: f.top, width: Math.max(1, to - from), height: f.bottom - f.top }), f.chart.firstChild);
  }
  f.chart.append(svg('polyline', { class: 'a', points: a.rows.map((r, i) => `${f.x(xs[i]).toFixed(1)},${f.y(Math.max(low, closed(r))).toFixed(1)}`).join(' ') }));
  a.rows.forEach((r, i) => {
    const v = simulated(r), pm = loss ? r.simulated.loss_pm : null;
    if (pm) f.chart.append(svg('line', { class: 'bar', x1: f.x(xs[i]), x2: f.x(xs[i]), y1: f.y(Math.max(low, v - pm)), y2: f.y(Math.max(low, v + pm)) }));
    f.chart.append(svg('circle', { class: 'mark', cx: f.x(xs[i]), cy: f.y(Math.max(low, v)), r: 4.5 }));
  });
  return el('figure', {}, f.chart, el('figcaption', {}, `${label}: line by formula, dots simulated; shaded: the window.${loss ? ' At the bottom: none.' : ''}`));
}
