// SPDX-License-Identifier: BSL-1.0
// The words below the picture: the log of reasons, the rows of ss, the counters of nstat and the causes behind them.
import { $, el, keep, text, seconds, clientName } from './dom.js';

const LINES = 40;

/// The events that have a reason, newest first; equal ones in a row are one line with a number.
export function log(events) {
  const lines = [];
  for (let i = events.length - 1; i >= 0 && lines.length < LINES; --i) {
    const e = events[i];
    if (!e.why) continue;
    const last = lines.at(-1);
    const who = e.client === null || e.client === undefined ? (e.flood ? 'the flood' : '') : clientName(e.client);
    if (last && last.why === e.why && last.who === who) { ++last.times; last.n = e.n; continue; }
    lines.push({ n: e.n, at: e.at, who, why: e.why, times: 1 });
  }
  keep($('log-list'), lines, (l) => l.n, () => el('li', {}, el('time'), el('b'), el('span')), (li, l) => {
    const [at, who, why] = li.children;
    text(at, seconds(l.at));
    text(who, l.who ? `${l.who}: ` : '');
    text(why, l.why + (l.times > 1 ? ` (${l.times} times)` : ''));
  });
}

export function sockets(state) {
  keep($('ss').tBodies[0], state.ss.slice(0, 60), (r) => `${r.local} ${r.peer} ${r.state === 'LISTEN'}`,
    () => el('tr', {}, ...Array.from({ length: 6 }, (_, i) => el('td', i === 1 || i === 2 ? { class: 'n' } : {}))),
    (tr, r) => [r.state, r.recv_q, r.send_q, r.local, r.peer, r.timer].forEach((v, i) => text(tr.children[i], v === null || v === undefined ? '' : String(v))));
}

export function counters(states, viewed, titles) {
  const names = [...new Set(states.flatMap((s) => Object.keys(s.counters)))];
  const rows = names.filter((n) => states.some((s) => s.counters[n]));
  if (states.length > 1) rows.unshift('');
  keep($('nstat').tBodies[0], rows, (n) => `${n}${states.length}`,
    () => el('tr', {}, el('td'), ...states.map(() => el('td', { class: 'n' }))),
    (tr, n) => {
      text(tr.firstChild, n);
      states.forEach((s, i) => text(tr.children[i + 1], n === '' ? titles[i] : String(s.counters[n] ?? '-')));
    });
  keep($('causes').tBodies[0], viewed.causes, (c) => `${c.verdict} ${c.why} ${c.rule}`,
    () => el('tr', {}, el('td', { class: 'n' }), el('td'), el('td')),
    (tr, c) => {
      const counted = Object.entries(c.counters ?? {}).map(([k, v]) => `${k} ${v}`).join(', ');
      text(tr.children[0], String(c.times));
      text(tr.children[1], (c.verdict ?? '').replaceAll('_', ' ') + (c.why ? `: ${c.why}` : '') + (counted ? ` (${counted})` : ''));
      text(tr.children[2], c.rule ?? '');
    });
}
