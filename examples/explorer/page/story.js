// SPDX-License-Identifier: BSL-1.0
// The guided stories of stories.json. A story is settings, things that are done, and steps: times at which the clock
// stops and a sentence says what to look at. Numbers in a sentence, {totals.connected}, are read from the engine's state.
//   {id, kind, title, question, settings, actions, until, client?, side_by_side: null | what differs in the second world,
//    steps: [{at, text, look?, speed?}], end: {path: value}, other_end?: {path: value}}
// `end` holds what the states must say at `until`; `other.` in front of a path means the second world.
import { $, text, seconds } from './dom.js';
import { still } from './scene.js';

const AT_MOST = 8;  // real seconds between two steps; less where little happens

/// The path's value in a state: "counters.TcpExtListenDrops", "clients.2.server".
export function valueAt(state, path) {
  return path.split('.').reduce((v, k) => v?.[k], state);
}

/// Replaces {path} by what the state says; {path|s} as seconds.
export function filled(sentence, states) {
  return sentence.replace(/\{(other\.)?([\w.]+)(\|s)?\}/g, (_, other, path, s) => {
    const v = valueAt(states[other ? 1 : 0], path) ?? 0;
    return s ? seconds(v, 1) : String(v);
  });
}

const out = (e) => e.getBoundingClientRect().top < 0 || e.getBoundingClientRect().top > innerHeight - 100;
const show = (e) => e?.scrollIntoView({ behavior: still.matches ? 'auto' : 'smooth' });

export class Stories {
  current = null;  ///< the story that is told
  at = -1;         ///< its step; -1 before the start

  constructor(simulation, { changed, choose }) {
    this.sim = simulation;
    this.changed = changed;
    this.choose = choose;
    $('story-next').addEventListener('click', () => this.next());
    $('story-back').addEventListener('click', () => this.back());
    $('story-leave').addEventListener('click', () => this.leave());
    $('story-look').addEventListener('click', () => show(document.querySelector('.panel.look')));
  }

  async load() {
    const answer = await fetch('stories.json');
    if (!answer.ok) throw new Error('stories.json could not be loaded.');
    this.all = await answer.json();
    return this.all;
  }

  find(id) {
    return this.all.find((s) => s.id === id);
  }

  /// Tells a story from its step `step`, 0 being the question.
  begin(id, step = 0) {
    this.current = this.find(id);
    if (!this.current) throw new Error(`There is no story "${id.slice(0, 40)}"; here is the first one.`);
    this.go(Math.min(step, this.current.steps.length) - 1);
  }

  /// Straight to a step.
  go(step) {
    const s = this.current;
    this.at = step;
    this.sim.pause();
    this.choose(s.client ?? null);
    this.sim.open(s.settings, s.side_by_side, s.actions, step < 0 ? 0 : this.timeOf(step));
    this.show();
  }

  timeOf(step) {
    const s = this.current;
    return s.steps[step].at;
  }

  next() {
    const s = this.current;
    if (!s) return undefined;
    if (out($('story'))) show($('story'));
    if (this.sim.stopAt !== null) {  // on the way already: be there
      this.sim.advance(this.sim.stopAt);
      return this.arrived();
    }
    if (this.at + 1 >= s.steps.length) return this.begin(this.all[(this.all.indexOf(s) + 1) % this.all.length].id);
    ++this.at;
    const to = this.timeOf(this.at);
    const step = s.steps[this.at];
    this.sim.speed = step.speed ?? Math.max(0.1, (to - this.sim.now) / 1e6 / AT_MOST);
    this.sim.stopAt = to;
    this.sim.settling = false;
    this.sim.playing = to > this.sim.now && !still.matches;
    if (this.sim.playing) return this.show();
    this.sim.advance(to);
    return this.arrived();
  }

  arrived() {
    this.sim.pause();
    this.show();
  }

  back() {
    if (this.current && this.at >= 0) this.go(this.at - 1);
  }

  leave() {
    this.current = null;
    this.at = -1;
    this.sim.pause();
    this.show();
  }

  /// The panel; the words of a step replace those before it when its time has come.
  show() {
    const s = this.current;
    $('story').hidden = !s;
    document.body.classList.toggle('in-story', Boolean(s) && this.at >= 0);
    for (const e of document.querySelectorAll('.look')) e.classList.remove('look');
    $('story-look').hidden = true;
    if (s) {
      const under = this.sim.stopAt !== null, last = this.at === s.steps.length - 1;
      const states = this.sim.worlds.map((w) => w.state);
      text($('story-kind'), s.kind);
      text($('story-progress'), this.at < 0 ? `· ${s.steps.length} steps` : `· step ${this.at + 1} of ${s.steps.length} · ${seconds(this.sim.now)}`);
      text($('story-title'), s.question);
      if (!under) text($('story-text'), this.at < 0 ? s.title : filled(s.steps[this.at].text, states));
      $('story-text').classList.toggle('answer', last && !under);
      text($('story-next'), this.at < 0 ? 'Start' : under ? 'Skip ahead' : last ? 'Next story' : 'Next');
      $('story-back').disabled = this.at < 0;
      if (!under && this.at >= 0) this.point(s.steps[this.at].look);
    }
    this.changed();
  }

  /// Marks what to look at; where that is further down, a button goes there.
  point(look) {
    for (const name of look ? look.split(' ') : []) {
      for (const e of document.querySelectorAll(`[data-part="${name}"], #${name}`)) e.classList.add('look');
    }
    const panel = document.querySelector('.panel.look');
    $('story-look').hidden = !panel || !out(panel);
  }
}
