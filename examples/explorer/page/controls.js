// SPDX-License-Identifier: BSL-1.0
// The settings as a form. Each control reads its value from the settings in force and asks `change(name, value)` when
// the reader moves it; `beside(other)` says what the second world has of its own. Nothing is decided here.
import { $, el, set } from './dom.js';

// A slider and a number for the same value. Sliders that span decades are logarithmic; `zero` lets them reach 0.
const logarithmic = (low, high, zero = false) => ({
  to: (v) => (zero && v <= 0 ? 0 : Math.log(Math.max(v, low) / low) / Math.log(high / low) * 0.95 + 0.05),
  from: (p) => (zero && p < 0.05 ? 0 : low * (high / low) ** Math.max(0, (p - 0.05) / 0.95)),
});
const linear = (low, high) => ({ to: (v) => (v - low) / (high - low), from: (p) => low + p * (high - low) });
const round3 = (v) => Number(v.toPrecision(3));

const TUNABLE_TEXT = {
  somaxconn: ['somaxconn', 'caps what listen() asks for'],
  max_syn_backlog: ['tcp_max_syn_backlog', 'bounds the half-open ones'],
  synack_retries: ['tcp_synack_retries', 'how often a SYN-ACK is sent again'],
};

/// name: path in the settings; unit: factor from what is shown to what is set.
const SLIDERS = [
  { group: 'Listener', name: 'backlog', label: 'backlog, the N of listen(fd, N)', low: 0, high: 65535, scale: logarithmic(1, 4096, true), whole: true },
  { group: 'Listener', name: 'tunables.somaxconn', low: 1, high: 65535, scale: logarithmic(1, 65535), whole: true },
  { group: 'Listener', name: 'tunables.max_syn_backlog', low: 1, high: 65535, scale: logarithmic(1, 65535), whole: true },
  { group: 'Listener', name: 'tunables.synack_retries', low: 0, high: 15, scale: linear(0, 15), whole: true },
  { group: 'Network', name: 'rtt', label: 'round trip, ms', unit: 1000, low: 0.02, high: 3000, scale: logarithmic(0.02, 3000) },
  { group: 'Network', name: 'loss', label: 'loss, % of segments', unit: 0.01, low: 0, high: 90, scale: linear(0, 60) },
  { group: 'Clients', name: 'arrivals.rate', label: 'arrivals, clients a second', low: 0, high: 5000, scale: logarithmic(0.1, 1000, true) },
  { group: 'Clients', name: 'arrivals.burst', label: 'arriving together', low: 1, high: 1000, scale: logarithmic(1, 200), whole: true },
  { group: 'Clients', name: 'data_after', label: 'first data after, s (empty: none)', unit: 1e6, low: 0, high: 3600, empty: true, scale: linear(0, 10) },
  { group: 'Clients', name: 'patience', label: 'a client gives up after, s (empty: the kernel decides)', unit: 1e6, low: 0.01, high: 3600, empty: true, scale: logarithmic(0.1, 130) },
  { group: 'Clients', name: 'flood.rate', label: 'flood, SYNs a second', low: 0, high: 10000, scale: logarithmic(0.1, 2000, true) },
  { group: 'Application', name: 'accept.every', label: 'one accept takes, ms (0: never accepts)', unit: 1000, low: 0, high: 10000, scale: logarithmic(0.1, 5000, true) },
];

function at(settings, path) {
  return path.split('.').reduce((v, k) => v?.[k], settings);
}

/// The name and the whole value that `set` takes for a changed leaf.
function changed(settings, path, value) {
  const [name, leaf] = path.split('.');
  if (!leaf) return [name, value];
  return name === 'tunables' ? [leaf, value] : [name, { ...settings[name], [leaf]: value }];
}

export class Controls {
  constructor({ presets, change, beside }) {
    this.presets = new Map(presets.map((p) => [p.name, p]));
    this.change = change;
    this.beside = beside;
    this.items = [];
    const groups = new Map();
    const group = (name) => {
      if (!groups.has(name)) {
        groups.set(name, el('fieldset', {}, el('legend', {}, name)));
        $('form').append(groups.get(name));
      }
      return groups.get(name);
    };
    const options = () => presets.map((p) => el('option', { value: p.name }, p.era ? `${p.title} (${p.era})` : p.title));
    this.preset = el('select', { id: 'preset', onchange: () => change('preset', this.preset.value) }, ...options());
    group('Listener').append(el('div', { class: 'control wide' }, el('label', { for: 'preset' }, 'behave like'), this.preset));
    for (const s of SLIDERS) group(s.group).append(this.slider(s));
    group('Listener').append(this.choice('tunables.syncookies', 'SYN cookies (tcp_syncookies)', [[0, 'off'], [1, 'when full'], [2, 'always']]),
      this.choice('tunables.abort_on_overflow', 'tcp_abort_on_overflow', [[0, 'off'], [1, 'on: RST']]));
    group('Clients').append(this.choice('flood.answers', 'who is blamed for the flood answers', [[false, 'no'], [true, 'yes: RST']]));
    this.seed = el('input', { id: 'seed', type: 'number', min: 0, step: 1, onchange: () => this.seed.value !== '' && change('seed', Math.max(0, Math.round(Number(this.seed.value)))) });
    group('Clients').append(el('div', { class: 'control' }, el('label', { for: 'seed' }, 'seed of what is random'), this.seed));
    this.besides(group('Side by side'), options);
    $('form').addEventListener('submit', (e) => e.preventDefault());
  }

  slider({ name, label, unit = 1, low, high, scale, whole, empty }) {
    const id = `set-${name.split('.').at(-1) === 'rate' ? name.replace('.', '-') : name.split('.').at(-1)}`;
    const [title, hint] = TUNABLE_TEXT[name.split('.')[1]] ?? [label, null];
    const number = el('input', { id, type: 'number', min: low, max: high, step: 'any', inputmode: 'decimal', 'data-setting': name });
    const range = el('input', { type: 'range', min: 0, max: 1, step: 0.005, 'aria-label': `${title}, slider` });
    const take = (shown) => {
      if (!this.settings) return;
      let v = Math.min(high, Math.max(low, shown));
      if (whole) v = Math.round(v);
      const value = unit >= 1000 || whole ? Math.round(v * unit) : v * unit;
      this.change(...changed(this.settings, name, value));
    };
    number.addEventListener('change', () => {
      if (number.value === '') return empty ? this.change(...changed(this.settings, name, null)) : this.show(this.settings);
      if (Number.isFinite(Number(number.value))) take(Number(number.value));
      return undefined;
    });
    range.addEventListener('input', () => { number.value = whole ? Math.round(scale.from(Number(range.value))) : round3(scale.from(Number(range.value))); });
    range.addEventListener('change', () => take(Number(number.value)));
    const box = el('div', { class: 'control' }, el('label', { for: id }, title), number, range, hint ? el('small', {}, hint) : null);
    this.items.push({
      name, box, show: (v) => {
        const shown = v === null || v === undefined ? '' : round3(v / unit) === v / unit || whole ? v / unit : Number((v / unit).toPrecision(6));
        if (document.activeElement !== number) number.value = shown;
        if (document.activeElement !== range) range.value = shown === '' ? 0 : scale.to(shown);
        range.setAttribute('aria-valuetext', shown === '' ? 'none' : String(shown));
      },
    });
    return box;
  }

  choice(name, label, options) {
    const id = `set-${name.split('.').at(-1)}`;
    const select = el('select', { id, 'data-setting': name, onchange: () => this.change(...changed(this.settings, name, JSON.parse(select.value))) },
      ...options.map(([v, t]) => el('option', { value: JSON.stringify(v) }, t)));
    const box = el('div', { class: 'control' }, el('label', { for: id }, label), select);
    this.items.push({ name, box, show: (v) => { select.value = JSON.stringify(v ?? options[0][0]); } });
    return box;
  }

  besides(box, options) {
    const send = () => {
      if (this.other.preset.value === '') return this.beside(null);
      const o = { preset: this.other.preset.value };
      if (this.other.backlog.value !== '') o.backlog = Math.round(Number(this.other.backlog.value));
      const tunables = {};
      for (const name of ['syncookies', 'abort_on_overflow']) if (this.other[name].value !== '') tunables[name] = Number(this.other[name].value);
      if (Object.keys(tunables).length) o.tunables = tunables;
      return this.beside(o);
    };
    const pick = (name, label, choices) => {
      const s = el('select', { id: `other-${name}`, onchange: send }, ...choices);
      box.append(el('div', { class: 'control wide' }, el('label', { for: s.id }, label), s));
      return s;
    };
    const numbered = (texts) => [el('option', { value: '' }, 'as in A'), ...texts.map((t, i) => el('option', { value: i }, t))];
    this.other = { preset: pick('preset', 'side by side with', [el('option', { value: '' }, 'nothing'), ...options()]) };
    this.other.backlog = el('input', { id: 'other-backlog', type: 'number', min: 0, max: 65535, placeholder: 'same', onchange: send });
    box.append(el('div', { class: 'control wide' }, el('label', { for: 'other-backlog' }, 'its backlog'), this.other.backlog));
    this.other.syncookies = pick('syncookies', 'its SYN cookies', numbered(['off', 'when full', 'always']));
    this.other.abort_on_overflow = pick('abort', 'its abort on overflow', numbered(['off', 'on']));
    box.append(el('small', { class: 'soft' }, 'The same clients call both at the same moments.'));
  }

  reads(preset, tunable) {
    return tunable in (this.presets.get(preset)?.tunables ?? {});
  }
  title(preset) {
    return this.presets.get(preset)?.title ?? preset;
  }
  /// Without the tunables that this preset does not read.
  fit(settings) {
    const tunables = Object.fromEntries(Object.entries(settings.tunables ?? {}).filter(([k]) => this.reads(settings.preset, k)));
    return { ...settings, tunables };
  }

  /// The settings in force, as the engine says.
  show(settings, other = this.shownOther) {
    this.settings = settings;
    this.shownOther = other;
    this.preset.value = settings.preset;
    if (document.activeElement !== this.seed) this.seed.value = settings.seed;
    for (const i of this.items) {
      const [first, leaf] = i.name.split('.');
      if (first === 'tunables') i.box.hidden = !this.reads(settings.preset, leaf);
      i.show(at(settings, i.name) ?? (first === 'tunables' ? this.presets.get(settings.preset)?.tunables[leaf] : null));
    }
    this.other.preset.value = other?.preset ?? (other ? settings.preset : '');
    if (document.activeElement !== this.other.backlog) this.other.backlog.value = other?.backlog ?? '';
    for (const name of ['syncookies', 'abort_on_overflow']) this.other[name].value = other?.tunables?.[name] ?? '';
    for (const name of ['backlog', 'syncookies', 'abort_on_overflow']) this.other[name].disabled = !other;
    set($('controls'), 'data-beside', other ? 'yes' : null);
  }
}
