// SPDX-License-Identifier: BSL-1.0
// The page: joins the engine, the clock, the picture, the panels, the settings, the stories and the address bar.
// window.explorer = {ready, ask, state} is for tests and for the curious.
import { ask, load } from './engine_link.js';
import { $, el, text, set, seconds, clientName } from './dom.js';
import { Simulation, DEFAULTS, merged } from './simulation.js';
import { Scene, still } from './scene.js';
import { Controls } from './controls.js';
import { Stories } from './story.js';
import { encode, decode, LATEST } from './address.js';
import * as charts from './charts.js';
import * as panels from './panels.js';
import { startSizing } from './sizing.js';

const FIRST_STORY = 'third-client';
const PANEL_EVERY = 250;  // ms between two drawings of what is below the picture, while time passes

const sim = new Simulation();
let chosen = null, viewed = 0, shownSettings = '', controls = null, stories = null;
let panelsDue = true, panelsAt = 0, addressDue = false, lastFrame = 0;

const choose = (id) => {
  chosen = id;
  redraw();
};
const scenes = [];
/// The picture of a world; who chooses a client there looks at that world below, too.
function scene(i) {
  scenes[i] ??= new Scene(i, (id) => { viewed = i; choose(id); });
  return scenes[i];
}
$('stage').append(scene(0).root);

// A first picture, until the engine answers: an empty listener.
scenes[0].root.classList.add('first');
scenes[0].update({
  now: 0, settings: { ...DEFAULTS }, limits: { backlog: 1, accept_slots: 2, request_slots: 16, pruned_from: null },
  queues: { requests: 0, young: 0, waiting: 0, why: 'The listener is being loaded.' }, requests: [], accept_queue: [], clients: [],
  totals: { clients: 0, connected: 0, refused: 0, timed_out: 0, accepted: 0, stranded: 0 }, wire: [], app: { accepted: 0 }, closed: false,
}, 'listen(fd, 1)', null);

function say(sentence) {
  text($('notice'), sentence ?? '');
  $('notice').hidden = !sentence;
}

/// Does it, and says what the engine or the address has against it.
function attempt(what) {
  try {
    what();
    return true;
  } catch (e) {
    say(e.message);
    return false;
  }
}

/// Which listener it is, with the tunables that are not as usual or not as in the other world.
function titleOf(settings) {
  const others = sim.worlds.map((w) => w.state.settings.tunables);
  const usual = controls.presets.get(settings.preset)?.tunables ?? {};
  const told = Object.entries(settings.tunables).filter(([k, v]) => usual[k] !== v || (sim.other?.tunables && others.some((o) => k in o && o[k] !== v && k in sim.other.tunables)));
  return `${controls.title(settings.preset)}, listen(fd, ${settings.backlog})${told.map(([k, v]) => `, ${k} ${v}`).join('')}`;
}

/// Everything that depends on the engine's state.
function redraw() {
  const states = sim.worlds.map((w) => w.state);
  if (!states[0]) return;
  states.forEach((_, i) => scene(i));
  scenes.forEach((s, i) => {
    if (i >= states.length) s.root.remove();
    else if (s.root.parentNode !== $('stage')) $('stage').append(s.root);
  });
  viewed = Math.min(viewed, states.length - 1);
  $('viewed').value = viewed;
  $('viewed-row').hidden = states.length < 2;
  states.forEach((state, i) => {
    scenes[i].root.classList.remove('first');
    scenes[i].update(state, (states.length > 1 ? `${'AB'[i]}: ` : '') + titleOf(state.settings), chosen);
    scenes[i].animate(sim.now);
  });
  const names = states[0].clients;
  text($('chosen-text'), chosen === null ? (names.length ? 'Choose a client for ACK, Data and RST' : '') : `${clientName(chosen)} is chosen`);
  for (const act of ['ack', 'data', 'rst']) document.querySelector(`[data-act=${act}]`).disabled = chosen === null;
  text($('close'), states[0].closed ? 'listen()' : 'close()');
  set($('close'), 'data-act', states[0].closed ? 'listen' : 'close');
  const settings = JSON.stringify([states[0].settings, sim.other]);
  if (settings !== shownSettings) controls.show(states[0].settings, sim.other);
  shownSettings = settings;
  text($('settings-text'), `${titleOf(states[0].settings)}${sim.other ? ` beside ${titleOf(states[1].settings)}` : ''}`);
  panelsDue = true;
  clock();
}

function drawPanels() {
  const world = sim.worlds[viewed], states = sim.worlds.map((w) => w.state);
  panelsDue = false;
  panels.log(world.events);
  panels.sockets(world.state);
  panels.counters(states, world.state, ['A', 'B']);
  text($('sequence-who'), chosen === null ? 'a client' : clientName(chosen));
  charts.sequence($('sequence-chart'), world.events, chosen);
  charts.depths($('depth-chart'), world.events, world.state, sim.now);
  charts.latency($('latency-chart'), sim.worlds.map((w) => w.events), sim.now);
}

function clock(now = sim.now) {
  text($('clock'), seconds(now));
  text($('play'), sim.playing ? 'Stop' : 'Play');
  set($('log-list'), 'aria-live', sim.playing ? 'off' : 'polite');
  text($('speed-text'), `${Number(sim.speed.toPrecision(2))} s/s`);
  if (document.activeElement !== $('speed')) $('speed').value = Math.log10(sim.speed);
}

/// The address says what is seen; it is written when nothing moves.
function writeAddress() {
  addressDue = false;
  const s = stories.current;
  const part = s ? `story=${s.id}${stories.at >= 0 ? `&step=${stories.at + 1}` : ''}`
    : encode({ settings: sim.settings, other: sim.other, acts: sim.acts, now: sim.now, chosen });
  history.replaceState(null, '', part ? `#${part}` : '#t=0');
  return location.href;
}

sim.onchange = (news) => {
  sim.worlds.forEach((w, i) => {
    if (news) scene(i).tell(news[i]);
    else scene(i).forget(w.events);
  });
  redraw();
  addressDue = true;
};
sim.onstop = () => {
  if (stories.current) stories.arrived();
  else redraw();
};

// Where much happens, the engine is asked less often than the picture is drawn: at most half of the time goes into it.
let waiting = 0, askAgainAt = 0;

function frame(t) {
  requestAnimationFrame(frame);
  const elapsed = Math.min(0.1, (t - lastFrame) / 1000);
  lastFrame = t;
  if (sim.playing) {
    waiting = Math.min(0.2, waiting + elapsed);
    if (t >= askAgainAt) {
      const before = performance.now();
      if (!attempt(() => sim.frame(waiting)) || sim.now >= LATEST) sim.pause();
      waiting = 0;
      const took = performance.now() - before;
      askAgainAt = took > 8 ? t + 2 * took : t;
    }
    const now = Math.min(sim.now + waiting * sim.speed * 1e6, sim.stopAt ?? Infinity);
    if (!still.matches) scenes.slice(0, sim.worlds.length).forEach((s) => s.animate(now));
    clock(now);
  }
  if (panelsDue && (!sim.playing || t - panelsAt >= PANEL_EVERY)) {
    panelsAt = t;
    drawPanels();
  }
  if (addressDue && !sim.playing) writeAddress();
}

/// The reader does something: a story that is told ends, what it had still to do is left out.
function intervene() {
  if (!stories.current) return;
  stories.current = null;
  sim.stopAt = null;
  stories.show();
}

function act(what) {
  say(null);
  intervene();
  attempt(() => {
    const needs = ['ack', 'data', 'rst'].includes(what);
    if (needs && chosen === null) return;
    sim.act(needs ? { what, client: chosen } : { what });
    if (what === 'syn') choose(Math.max(...sim.worlds[0].state.clients.map((c) => c.id)));
    if (!sim.playing && !still.matches) sim.settle();
    clock();
  });
}

function change(name, value) {
  say(null);
  intervene();
  if (name === 'preset' || name === 'seed') {
    attempt(() => sim.open(controls.fit({ ...sim.settings, [name]: value }), sim.other, sim.acts.filter((a) => !a.set || name === 'seed' || a.set in DEFAULTS || controls.reads(value, a.set)), sim.now))
      || sim.open(controls.fit({ ...DEFAULTS, [name]: value }));
  } else if (sim.now === 0 && !sim.acts.length) {
    const settings = name in DEFAULTS ? { ...sim.settings, [name]: value } : { ...sim.settings, tunables: { ...sim.settings.tunables, [name]: value } };
    attempt(() => sim.open(settings, sim.other));
  } else {
    attempt(() => sim.act({ set: name, value }));
  }
  redraw();
}

function beside(other) {
  say(null);
  intervene();
  if (other) {
    const fit = controls.fit(merged(sim.settings, other));
    if (other.tunables) other.tunables = Object.fromEntries(Object.entries(other.tunables).filter(([k]) => k in fit.tunables));
  }
  attempt(() => sim.open(sim.settings, other, sim.acts.filter((a) => a.at <= sim.now), sim.now));
}

function play(on = !sim.playing) {
  const s = stories.current;
  if (on && s && sim.stopAt === null) {
    if (stories.at + 1 < s.steps.length) return stories.next();
    intervene();
  }
  sim.playing = on;
  sim.settling = false;
  return redraw();
}

function download(as) {
  attempt(() => {
    const client = as === 'mermaid' && chosen !== null ? { client: chosen } : {};
    sim.sync();
    const answer = ask({ do: 'export', world: 0, as, ...client });
    const [type, ending] = { pcap: ['application/octet-stream', 'pcapng'], mermaid: ['text/plain', 'mmd'], cpp: ['text/plain', 'cpp'], json: ['application/json', 'json'] }[as];
    const bytes = answer.base64 ? Uint8Array.from(atob(answer.base64), (c) => c.charCodeAt(0)) : answer.text;
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    el('a', { href: url, download: `listenq-${sim.settings.preset}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}

const KEYS = [
  [' ', 'Space', 'play, stop', () => play()], ['.', '.', 'to the next thing that happens', () => $('step').click()],
  [',', ',', 'one event back', () => $('back').click()], ['0', '0', 'restart', () => $('restart').click()],
  ['+', '+ -', 'faster, slower', () => faster(1)], ['-', null, '', () => faster(-1)],
  ['n', 'n', 'next step of the story', () => !$('story').hidden && stories.next()], ['b', 'b', 'step back in the story', () => stories.back()],
  ['s', 's', 'SYN: a new client', () => act('syn')], ['w', 'w', 'a bare SYN', () => act('raw_syn')], ['k', 'k', 'ACK of the chosen client', () => act('ack')],
  ['d', 'd', 'data of the chosen client', () => act('data')], ['r', 'r', 'RST of the chosen client', () => act('rst')],
  ['a', 'a', 'accept()', () => act('accept')], ['t', 't', 'tick', () => act('tick')],
  ['c', 'c', 'close(), listen()', () => $('close').click()],
  [']', '[ ]', 'choose another client', () => another(1)], ['[', null, '', () => another(-1)],
  ['?', '?', 'this list', () => $('help').showModal()],
];
function faster(by) {
  sim.speed = Math.min(100, Math.max(0.1, sim.speed * 2 ** by));
  clock();
}
function another(by) {
  const ids = sim.worlds[0].state.clients.map((c) => c.id).sort((a, b) => a - b);
  if (ids.length) choose(ids[(ids.indexOf(chosen) + by + ids.length) % ids.length]);
}

function listen() {
  $('play').addEventListener('click', () => play());
  $('step').addEventListener('click', () => attempt(() => { intervene(); sim.pause(); if (!sim.step()) say('Nothing more happens by itself: press SYN or accept().'); else say(null); redraw(); }));
  $('back').addEventListener('click', () => attempt(() => { intervene(); sim.pause(); say(null); sim.stepBack(); }));
  $('restart').addEventListener('click', () => attempt(() => { sim.pause(); say(null); if (stories.current) stories.go(-1); else { chosen = null; sim.open(sim.settings, sim.other); } }));
  $('speed').addEventListener('input', () => { sim.speed = 10 ** Number($('speed').value); clock(); });
  for (const b of document.querySelectorAll('[data-act]')) b.addEventListener('click', () => act(b.dataset.act));
  $('stall').addEventListener('click', () => change('accept', { ...sim.worlds[0].state.settings.accept, stall: { from: Math.round(sim.now), for: 2000000 } }));
  for (const b of document.querySelectorAll('[data-export]')) b.addEventListener('click', () => download(b.dataset.export));
  $('copy').addEventListener('click', async () => {
    const address = writeAddress();
    try {
      await navigator.clipboard.writeText(address);
      text($('copied'), 'Copied.');
    } catch {
      text($('copied'), `Copy it from the address bar: ${address}`);
    }
  });
  $('story-menu').addEventListener('change', () => attempt(() => { say(null); $('story-menu').value ? stories.begin($('story-menu').value) : stories.leave(); }));
  $('viewed').addEventListener('change', () => { viewed = Number($('viewed').value); panelsDue = true; });
  $('help-open').addEventListener('click', () => $('help').showModal());
  $('help-keys').append(...KEYS.filter((k) => k[1]).flatMap(([, key, what]) => [el('dt', {}, key), el('dd', {}, what)]));
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $('help').open || !$('keys-on').checked) return;
    const on = e.target;
    if (on.matches('input, select, textarea') || (e.key === ' ' && on.matches('button, summary, a'))) return;
    const key = KEYS.find((k) => k[0] === e.key);
    if (!key) return;
    e.preventDefault();
    key[3]();
  });
  addEventListener('hashchange', openAddress);
  addEventListener('resize', () => { scenes.forEach((s) => { s.places = null; s.animate(sim.now); }); panelsDue = true; });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => scenes.forEach((s) => { s.places = null; s.animate(sim.now); }));
}

/// Shows what the address asks for; a wrong one is said, and the first story is there instead.
function openAddress() {
  if (location.hash === '#stage') return;  // the link that skips to the picture
  say(null);
  try {
    const a = decode(location.hash);
    if (a === null) stories.begin(FIRST_STORY);
    else if (a.story !== undefined) stories.begin(a.story, a.step);
    else {
      stories.leave();
      chosen = a.chosen;
      sim.open(a.settings, a.other, a.acts, a.now);
    }
  } catch (e) {
    stories.begin(FIRST_STORY);
    say(/^Th(is|ere) /.test(e.message) ? e.message : `This link is not understood (${e.message}); here is the default.`);
  }
}

async function start() {
  try {
    stories = new Stories(sim, {
      changed: () => { $('story-menu').value = stories.current?.id ?? ''; if (sim.worlds[0].state) redraw(); addressDue = true; },
      choose: (id) => { chosen = id; },
    });
    const [all] = await Promise.all([stories.load(), load()]);
    for (const kind of [...new Set(all.map((s) => s.kind))]) {
      $('story-menu').append(el('optgroup', { label: kind }, ...all.filter((s) => s.kind === kind).map((s) => el('option', { value: s.id }, s.question))));
    }
    const { presets } = ask({ do: 'presets' });
    controls = new Controls({ presets, change, beside });
    openAddress();
    listen();
    startSizing(presets);
    requestAnimationFrame((t) => { lastFrame = t; frame(t); });
  } catch (e) {
    say(e.message);
    throw e;
  }
}

window.explorer = {
  ready: start(),
  ask,
  /// The engine's state of a world, brought up to the clock.
  state: (world = 0) => sim.sync()[world],
};
