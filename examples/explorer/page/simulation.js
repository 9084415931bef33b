// SPDX-License-Identifier: BSL-1.0
// One situation: the settings at time 0, what was done when, and the time now. It owns the virtual clock and keeps one
// or two worlds of the engine in step with it. Knows nothing of the page: who draws listens to `onchange`.
import { ask } from './engine_link.js';

export const DEFAULTS = {
  preset: 'linux-3.12', seed: 1, backlog: 1, tunables: {}, rtt: 200000, loss: 0, arrivals: { rate: 0, burst: 1 },
  accept: { every: 0, stall: null }, flood: { rate: 0, answers: false }, data_after: 2000000, patience: null,
};
export const TUNABLES = ['somaxconn', 'max_syn_backlog', 'syncookies', 'abort_on_overflow', 'synack_retries'];
const KEPT_EVENTS = 20000;

/// The settings of the second world: those of the first where `other` says nothing else.
export function merged(settings, other) {
  return { ...settings, ...other, tunables: { ...settings.tunables, ...(other?.tunables ?? {}) } };
}

/// What the page remembers of one world beside the engine's state: its events.
class World {
  constructor(index) {
    this.index = index;
    this.clear();
  }
  clear() {
    this.state = null;
    this.events = [];
    this.next = 0;
  }
  /// The engine's answer, and the events since the last one. An answer may stop short of `to` when much happens.
  take(state, to = state.now) {
    while (state.now < to) {
      const more = ask({ do: 'advance', world: this.index, to });
      if (more.now <= state.now) break;
      state = more;
    }
    this.state = state;
    const news = [];
    for (let more = true; more;) {
      const answer = ask({ do: 'events', world: this.index, since: this.next });
      this.next = answer.next;
      for (const e of answer.events) news.push(e);
      more = answer.more === true;
    }
    for (const e of news) this.events.push(e);
    if (this.events.length > KEPT_EVENTS) this.events.splice(0, this.events.length - KEPT_EVENTS);
    return news;
  }
}

export class Simulation {
  settings = structuredClone(DEFAULTS);  ///< at time 0
  other = null;                          ///< null, or what differs in the second world
  acts = [];                             ///< done or still to do, in order of `at`
  now = 0;                               ///< virtual µs; the engine may lag behind while nothing happens
  playing = false;
  speed = 1;                             ///< virtual seconds a second
  stopAt = null;                         ///< the clock stops by itself here
  settling = false;                      ///< the clock stops when nothing is on its way any more
  worlds = [new World(0)];
  onchange = () => {};                   ///< (news: events by world, or null after a jump)
  onstop = () => {};

  /// Starts a situation anew and brings it to `now`.
  open(settings, other = null, acts = [], now = 0) {
    this.settings = { ...structuredClone(DEFAULTS), ...settings };
    this.other = other;
    this.acts = acts.slice().sort((a, b) => a.at - b.at);
    this.worlds = other ? [this.worlds[0], this.worlds[1] ?? new World(1)] : [this.worlds[0]];
    this.jump(now);
  }

  /// To any time, also back: what was done up to then is done again from the beginning.
  jump(to) {
    this.now = Math.max(0, Math.round(to));
    const actions = this.acts.filter((a) => a.at <= this.now);
    for (const w of this.worlds) {
      const settings = w.index === 0 ? this.settings : merged(this.settings, this.other);
      w.clear();
      w.take(ask({ do: 'script', world: w.index, settings, actions: actions.filter((a) => this.concerns(w, a)), until: this.now }), this.now);
    }
    this.catchUp(this.worlds.map(() => []));
    this.onchange(null);
  }

  /// A tick takes its world to the time when a timer is due; the other one follows.
  catchUp(news) {
    this.now = Math.max(this.now, ...this.worlds.map((w) => w.state.now));
    this.worlds.forEach((w, i) => {
      if (w.state.now < this.now && (w.state.next ?? Infinity) <= this.now) news[i].push(...w.take(ask({ do: 'advance', world: w.index, to: this.now }), this.now));
    });
  }

  /// A setting that the second world has of its own is not changed there.
  concerns(world, action) {
    if (world.index === 0 || !action.set) return true;
    const name = action.set;
    return !(name in (this.other ?? {})) && !(name in (this.other?.tunables ?? {}));
  }

  /// When something happens next by itself, or is to be done.
  next() {
    const times = this.worlds.map((w) => w.state?.next ?? Infinity);
    const due = this.acts.find((a) => a.at > this.now);
    return Math.min(...times, due ? due.at : Infinity);
  }

  /// Time passes up to `to`; asks the engine only if something happens until then.
  advance(to, force = false) {
    to = Math.round(to);
    if (to < this.now) return;
    let changed = force;
    const news = this.worlds.map(() => []);
    const pass = (until) => {
      this.worlds.forEach((w, i) => {
        if (force || (w.state.next ?? Infinity) <= until) {
          news[i].push(...w.take(ask({ do: 'advance', world: w.index, to: until }), until));
          changed = true;
        }
      });
      this.now = until;
    };
    for (const action of this.acts.filter((a) => a.at > this.now && a.at <= to)) {
      pass(action.at);
      this.perform(action, news);
      changed = true;
    }
    pass(Math.max(to, ...this.worlds.map((w) => w.state.now)));
    if (changed) this.onchange(news);
  }

  perform(action, news) {
    for (const [i, w] of this.worlds.entries()) {
      if (!this.concerns(w, action)) continue;
      if (w.state.now < action.at) news[i].push(...w.take(ask({ do: 'advance', world: w.index, to: action.at }), action.at));
      const request = action.set
        ? { do: 'set', world: w.index, name: action.set, value: action.value }
        : { do: 'act', world: w.index, what: action.what, ...(action.client === undefined ? {} : { client: action.client }) };
      news[i].push(...w.take(ask(request)));
    }
  }

  /// Does something now and remembers it; what was still to be done later is forgotten. Throws what the engine says.
  act(action) {
    action = { at: this.now, ...action };
    const news = this.worlds.map(() => []);
    this.perform(action, news);
    this.acts = this.acts.filter((a) => a.at <= action.at);
    this.acts.push(action);
    this.catchUp(news);
    this.onchange(news);
  }

  /// The engine's states, brought up to the clock.
  sync() {
    this.advance(this.now, this.worlds.some((w) => w.state.now < this.now));
    return this.worlds.map((w) => w.state);
  }

  /// To the next thing that happens; false if nothing will.
  step() {
    const next = this.next();
    if (next === Infinity) return false;
    this.advance(next);
    return true;
  }

  /// To the last thing that happened before now.
  stepBack() {
    let last = 0;
    for (const w of this.worlds) for (const e of w.events) if (e.at < this.now && e.at > last) last = e.at;
    for (const a of this.acts) if (a.at < this.now && a.at > last) last = a.at;
    this.jump(last);
  }

  pause() {
    this.playing = this.settling = false;
    this.stopAt = null;
  }

  /// Plays until what has just been done has had its effect; slowly enough to be seen.
  settle() {
    const rtt = this.worlds[0].state.settings.rtt;
    this.speed = Math.min(this.speed, Math.max(0.1, rtt / 1.4e6));
    this.settleBy = this.now + 4 * rtt;
    this.playing = this.settling = true;
  }
  quiet() {
    return this.worlds.every((w) => w.state.wire.every((s) => s.arrives === null || s.arrives <= this.now));
  }
  settled() {
    return this.now >= this.settleBy || (this.quiet() && this.worlds.every((w) => w.state.next === null || w.state.next > this.now + w.state.settings.rtt));
  }

  /// A frame of the animation: `elapsed` real seconds have gone by.
  frame(elapsed) {
    if (!this.playing) return;
    let to = this.now + elapsed * this.speed * 1e6;
    if (this.stopAt !== null) {
      // On the way to a certain time, what is empty of events goes by faster.
      if (this.quiet()) to = Math.min(this.now + elapsed * this.speed * 8e6, Math.max(to, this.next()));
      to = Math.min(to, this.stopAt);
    }
    this.advance(Math.max(to, this.now));
    const arrived = this.stopAt !== null && this.now >= this.stopAt;
    if (arrived || (this.settling && this.settled())) {
      this.pause();
      this.onstop();
    }
  }
}
