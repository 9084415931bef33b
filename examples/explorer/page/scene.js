// SPDX-License-Identifier: BSL-1.0
// The picture of one world: clients, the wire, the two queues, the application. Boxes and cards are HTML, so that they
// can be read, focused and laid out for any width; what flies between them is drawn on a canvas above.
import { el, text, set, keep, clientName, hue, span, seconds, count, segmentName } from './dom.js';

const CARDS = 10;    // so many are shown with words; more become small cells
const CHIPS = 36;    // so many clients at most
const CELLS = 256;   // so many entries of a queue; more are only counted
const LABELS = 40;   // so many segments in flight carry their name
export const still = matchMedia('(prefers-reduced-motion: reduce)');

/// Connected for itself, but not for the listener, which has had the time to hear of it.
const stuck = (c, state) => c.state === 'ESTABLISHED' && ['none', 'SYN_RECV'].includes(c.server) && !c.error
  && state.now - c.connected >= state.settings.rtt / 2;

/// What a client's two states mean, in words, and how they look.
function standing(c, state) {
  if (c.error) return { tone: 'bad', text: { ETIMEDOUT: 'gave up', ECONNREFUSED: 'refused', ECONNRESET: 'reset' }[c.error] ?? c.error };
  if (c.server === 'ACCEPTED') return { tone: 'good', text: 'served' };
  if (c.state === 'ESTABLISHED' && c.server === 'ESTABLISHED') return { tone: 'good', text: 'connected, waits' };
  if (stuck(c, state)) return { tone: 'warn', text: 'stuck: believes it is connected' };
  if (c.state === 'ESTABLISHED') return { tone: 'good', text: c.server === 'COOKIE' ? 'connected by a cookie, its ACK is on the way' : 'connected, its ACK is on the way' };
  if (c.state === 'SYN_SENT') return { tone: 'plain', text: 'in connect()' };
  return { tone: 'plain', text: c.state.toLowerCase().replace('_', ' ') };
}

const HERE = { none: 'nothing', COOKIE: 'nothing, a cookie' };

// How the listener's verdict is shown for a moment where the segment arrived.
function spark(e) {
  const v = e.verdict ?? '';
  if (/^(dropped|cookie_overflow|overflow_forgotten)/.test(v)) return ['dropped', 'bad'];
  if (v === 'overflow_kept') return ['ignored', 'bad'];
  if (/reset|stray|not_listening|refused/.test(v)) return ['RST', 'bad'];
  if (v === 'cookie_sent') return ['cookie', 'warn'];
  if (/promoted|fast_opened/.test(v)) return ['moves on', 'good'];
  if (v === 'admitted') return ['new request', 'good'];
  if (v === 'duplicate_syn') return ['again', 'warn'];
  return null;
}

export class Scene {
  /// `choose(id)` is called when a client is clicked.
  constructor(index, choose) {
    this.choose = choose;
    this.sparks = [];
    this.chosen = null;
    const part = (name, title, note) => {
      const list = el('div', { class: 'list' });
      const more = el('p', { class: 'more soft' });
      const fig = el('p', { class: 'figures' });
      const bar = el('div', { class: 'gauge', 'aria-hidden': 'true' }, el('i'), el('b'));
      const box = el('section', { class: `box ${name}`, 'data-part': name, 'aria-label': title },
        el('h3', {}, title), el('p', { class: 'soft note' }, note), fig, bar, list, more);
      return Object.assign(box, { list, more, fig, bar });
    };
    this.clients = part('clients', 'Clients', 'call connect()');
    this.requests = part('requests', 'Request queue', 'SYN came; the last ACK has not been taken');
    this.waiting = part('waiting', 'Accept queue', 'handshake finished; waits for accept()');
    this.app = part('app', 'Application', 'calls accept()');
    this.clients.bar.remove();
    this.app.bar.remove();
    this.canvas = el('canvas', { class: 'flight', 'aria-hidden': 'true' });
    this.door = el('div', { class: 'server' }, this.requests, this.waiting, this.app);
    this.field = el('div', { class: 'field' }, this.clients, el('div', { class: 'wire' }), this.door, this.canvas);
    this.title = el('h2');
    this.why = el('p', { class: 'why soft' });
    this.root = el('section', { class: 'world', id: `world-${index}`, 'data-world': index }, this.title, this.field, this.why);
    this.clients.list.addEventListener('keydown', (e) => this.rove(e));
  }

  /// Arrow keys go from client to client; Tab reaches the list once.
  rove(e) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const all = [...this.clients.list.children];
    const to = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    if (!to) return;
    e.preventDefault();
    to.focus();
    this.choose(Number(to.dataset.client));
  }

  /// What the engine says now.
  update(state, title, chosen) {
    this.state = state;
    this.chosen = chosen;
    text(this.title, title);
    text(this.why, state.queues.why ?? '');
    this.drawClients(state);
    this.drawRequests(state);
    this.drawWaiting(state);
    const { app, totals } = state;
    text(this.app.fig, app.stalled ? 'stalled' : count(app.accepted, 'accept'));
    set(this.app, 'data-tone', app.stalled ? 'bad' : app.accepted ? 'good' : 'plain');
    const every = state.settings.accept.every;
    text(this.app.more, state.closed ? 'the listener is closed' : every ? `one every ${span(every)}` : 'only when you press accept()');
    set(this.root, 'data-closed', state.closed ? 'yes' : null);
    set(this.waiting, 'data-full', state.queues.accept_full ? 'yes' : null);
    set(this.requests, 'data-full', state.queues.request_full ? 'yes' : null);
    this.places = null;
    return totals;
  }

  drawClients(state) {
    const all = state.clients;
    const cells = all.length > CARDS;
    let shown = all;
    if (all.length > CHIPS) {  // those who are still in it, and the latest of the others
      const alive = all.filter((c) => c.server !== 'ACCEPTED' && !c.error).slice(-CHIPS);
      const rest = all.filter((c) => !alive.includes(c));
      shown = [...rest.slice(rest.length - (CHIPS - alive.length)), ...alive];
    }
    shown = shown.slice().sort((a, b) => a.id - b.id);
    set(this.clients, 'data-dense', cells ? 'yes' : null);
    const focus = shown.some((c) => c.id === this.chosen) ? this.chosen : shown[0]?.id;
    keep(this.clients.list, shown, (c) => c.id,
      (c) => el('button', { class: 'card client', type: 'button', 'data-client': c.id, style: `--hue:${hue(c.id)}`, onclick: () => this.choose(c.id) },
        el('b'), el('span', { class: 'say' }), el('span', { class: 'soft pair' })),
      (e, c) => {
        const s = standing(c, state);
        const [name, say, pair] = e.children;
        text(name, cells ? String(c.id + 1) : clientName(c.id));
        text(say, cells ? '' : s.text);
        text(pair, cells ? '' : c.error ? c.error : `${c.state}; server: ${HERE[c.server] ?? c.server}`);
        set(e, 'data-tone', s.tone);
        set(e, 'aria-pressed', c.id === this.chosen ? 'true' : 'false');
        set(e, 'tabindex', c.id === focus ? '0' : '-1');
        set(e, 'aria-label', cells ? `${clientName(c.id)}: ${s.text}` : null);
        set(e, 'title', `port ${c.port}, ${count(c.syns, 'SYN')} sent: ${s.text}`);
      });
    const t = state.totals;
    text(this.clients.fig, t.clients ? `${t.connected} of ${t.clients} connected` : 'nobody yet');
    const notes = [];
    if (t.clients > shown.length) notes.push(`${t.clients - shown.length} more not shown`);
    const left = all.filter((c) => stuck(c, state)).length;
    if (left) notes.push(`${left} stuck`);
    const reset = all.filter((c) => c.error === 'ECONNRESET').length;
    if (t.refused + reset) notes.push(`${t.refused + reset} refused or reset`);
    if (t.timed_out) notes.push(`${t.timed_out} gave up`);
    if (state.settings.flood.rate) notes.push(`flood: ${state.settings.flood.rate} SYN/s`);
    text(this.clients.more, notes.join(' · '));
  }

  drawRequests(state) {
    const { requests, limits, queues } = state;
    const cells = requests.length > CARDS;
    set(this.requests, 'data-dense', cells ? 'yes' : null);
    text(this.requests.fig, `${queues.requests} of ${limits.request_slots}`
      + (queues.requests ? `, ${queues.young} young` : ''));
    this.gauge(this.requests, queues.requests, limits.request_slots, limits.pruned_from);
    keep(this.requests.list, requests.slice(0, CELLS), (r) => `${r.peer}:${r.port}:${r.born}`,
      (r) => el('div', { class: 'card request', 'data-client': r.client, style: r.client === null ? null : `--hue:${hue(r.client)}` },
        el('b'), el('span', { class: 'tag' }), el('span', { class: 'count soft' }), el('div', { class: 'gauge thin' }, el('i'))),
      (e, r) => {
        const [name, tag, , bar] = e.children;
        Object.assign(e, { deadline: r.deadline, born: r.born, timeouts: r.timeouts });
        text(name, cells ? '' : r.client === null ? (r.flood ? 'flood' : 'nobody') + ` :${r.port}` : clientName(r.client));
        text(tag, cells ? '' : r.young ? 'young' : `old, ${count(r.timeouts, 'timeout')}`);
        set(e, 'data-age', r.young ? 'young' : 'old');
        set(e, 'title', `port ${r.port}: ${r.young ? 'young' : `old, ${count(r.timeouts, 'timeout')}`}`);
        set(e, 'data-timeouts', r.timeouts);
        bar.hidden = cells;
      });
    text(this.requests.more, requests.length < queues.requests || requests.length > CELLS
      ? `${queues.requests - Math.min(requests.length, CELLS)} more` : cells ? 'full: young · hollow: old' : '');
  }

  drawWaiting(state) {
    const { accept_queue: queue, limits, queues } = state;
    const cells = queue.length > CARDS || limits.accept_slots > CARDS;
    set(this.waiting, 'data-dense', cells ? 'yes' : null);
    text(this.waiting.fig, `${queues.waiting} of ${limits.accept_slots}${queues.accept_full ? ': full' : ''}`);
    this.gauge(this.waiting, queues.waiting, limits.accept_slots, null);
    const slots = queue.slice(0, CELLS);
    if (limits.accept_slots <= 64) for (let i = queue.length; i < limits.accept_slots; ++i) slots.push({ free: i });
    keep(this.waiting.list, slots, (c) => (c.free === undefined ? `${c.port}:${c.since}` : `free ${c.free}`),
      (c) => (c.free === undefined
        ? el('div', { class: 'card waiting', 'data-client': c.client, style: c.client === null ? null : `--hue:${hue(c.client)}` }, el('b'), el('span', { class: 'soft' }))
        : el('div', { class: 'card free' }, el('b'))),
      (e, c) => {
        text(e.firstChild, cells ? '' : c.free !== undefined ? 'free' : c.client === null ? `:${c.port}` : clientName(c.client));
        if (c.free === undefined) text(e.lastChild, cells ? '' : c.recv_q ? `${c.recv_q} bytes unread` : 'no data yet');
      });
    text(this.waiting.more, queue.length > CELLS ? `${queue.length - CELLS} more` : '');
  }

  gauge(box, n, of, mark) {
    const [fill, line] = box.bar.children;
    fill.style.transform = `scaleX(${of > 0 ? Math.min(1, n / of) : 0})`;
    line.hidden = !mark || mark >= of;
    if (!line.hidden) line.style.insetInlineStart = `${(100 * mark) / of}%`;
    set(box.bar, 'title', mark ? `from ${mark} on, old requests die sooner` : null);
  }

  /// New events; each verdict shows for a moment.
  tell(events) {
    for (const e of events) {
      const s = e.kind === 'segment' && e.to_server && !e.lost ? spark(e) : null;
      if (s) this.sparks.push({ at: e.at, client: e.client, n: e.n, text: s[0], tone: s[1] });
    }
    if (this.sparks.length > 30) this.sparks.splice(0, this.sparks.length - 30);
  }
  forget(events) {
    this.sparks = [];
    this.tell(events.slice(-30));
  }

  /// Where things are on the canvas; measured once after each change.
  measure() {
    const box = this.field.getBoundingClientRect();
    const wire = this.field.children[1].getBoundingClientRect();
    const rows = new Map();
    for (const e of this.clients.list.children) {
      const r = e.getBoundingClientRect();
      rows.set(Number(e.dataset.client), r.top + r.height / 2 - box.top);
    }
    const colours = getComputedStyle(this.root);
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    this.places = {
      width: box.width, height: box.height, left: wire.left - box.left + 4, right: wire.right - box.left - 4, rows,
      ink: colour('ink'), soft: colour('soft'), card: colour('card'), bad: colour('bad'), good: colour('good'), warn: colour('warn'),
      line: colour('line'), lum: colour('lum'), font: colours.fontFamily,
    };
    const ratio = Math.min(3, devicePixelRatio || 1);
    const w = Math.round(box.width * ratio), h = Math.round(box.height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.ratio = ratio;
  }

  /// The height at which a client's segments fly.
  lane(client, n) {
    const p = this.places;
    if (client !== null && p.rows.has(client)) return p.rows.get(client);
    const spread = ((n * 61) % 97) / 97;  // for those that are not in the list: anywhere, always the same
    return 26 + spread * (p.height - 40);
  }

  /// What moves, at a time: segments, countdowns, the moments after a verdict.
  animate(now) {
    const state = this.state;
    if (!state) return;
    if (!this.places) this.measure();
    const p = this.places;
    const g = this.canvas.getContext('2d');
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, p.width, p.height);
    g.font = `600 ${p.right - p.left > 70 ? 11 : 10}px ${p.font}`;
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    const rtt = state.settings.rtt;
    const words = state.wire.length <= LABELS && p.right - p.left > 40;
    for (const s of state.wire) {
      const whole = (s.arrives ?? s.sent + rtt / 2) - s.sent;
      const done = whole > 0 ? (now - s.sent) / whole : 1;
      if (done < 0 || (s.arrives !== null && done > 1)) continue;
      const lost = s.arrives === null;
      if (lost && now - s.sent > rtt) continue;
      const shown = still.matches ? 0.5 : lost ? Math.min(done, 0.55) : done;
      const y = this.lane(s.client, s.n) + (s.to_server ? -8 : 8);
      const x = s.to_server ? p.left + shown * (p.right - p.left) : p.right - shown * (p.right - p.left);
      const c = s.flood || s.client === null ? p.soft : `hsl(${hue(s.client)} 65% ${p.lum})`;
      this.segment(g, x, y, s, c, words, lost && done >= 0.55);
    }
    const lasting = Math.max(rtt * 0.6, 1);
    this.sparks = this.sparks.filter((s) => now - s.at <= lasting && s.at <= now);
    for (const s of this.sparks.slice(-6)) {
      const y = this.lane(s.client, s.n) - 8;
      const w = g.measureText(s.text).width + 10;
      g.globalAlpha = still.matches ? 1 : Math.max(0.25, 1 - (now - s.at) / lasting);
      g.textAlign = 'right';
      g.fillStyle = p.card;
      g.fillRect(p.right - w, y - 9, w + 4, 18);
      g.fillStyle = p[s.tone];
      g.fillText(s.text, p.right - 2, y + 0.5);
    }
    g.globalAlpha = 1;
    if (this.requests.dataset.dense !== 'yes') for (const e of this.requests.list.children) this.countdown(e, now);
  }

  segment(g, x, y, s, colour, words, lost) {
    const p = this.places;
    const label = segmentName(s) + (lost ? ' lost' : '');
    if (!words) {
      g.fillStyle = lost ? p.bad : colour;
      g.beginPath();
      g.arc(x, y, 3, 0, 7);
      g.fill();
      return;
    }
    const w = g.measureText(label).width + 12;
    g.fillStyle = p.card;
    g.strokeStyle = lost ? p.bad : colour;
    g.lineWidth = 1.5;
    const a = Math.max(p.left, Math.min(x - w / 2, p.right - w)), b = a + w, tip = 5;
    g.beginPath();
    if (s.to_server) { g.moveTo(a, y - 8); g.lineTo(b - tip, y - 8); g.lineTo(b, y); g.lineTo(b - tip, y + 8); g.lineTo(a, y + 8); }
    else { g.moveTo(b, y - 8); g.lineTo(a + tip, y - 8); g.lineTo(a, y); g.lineTo(a + tip, y + 8); g.lineTo(b, y + 8); }
    g.closePath();
    g.fill();
    g.stroke();
    g.fillStyle = lost ? p.bad : p.ink;
    g.textAlign = 'center';
    g.fillText(label, a + w / 2, y + 0.5);
  }

  countdown(e, now) {
    const [, , what, bar] = e.children;
    const left = Math.max(0, e.deadline - now);
    const whole = Math.max(1, ((e.deadline - e.born) * 2 ** e.timeouts) / (2 ** (e.timeouts + 1) - 1));  // intervals double
    text(what, e.deadline === null ? '' : `SYN-ACK again in ${seconds(left, 1)} · age ${seconds(now - e.born, 1)}`);
    bar.firstChild.style.transform = `scaleX(${Math.min(1, left / whole)})`;
  }
}
