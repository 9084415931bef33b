// SPDX-License-Identifier: BSL-1.0
// What browser.py asks a page about itself. Put into the page once; `look` is then there for its scripts.
window.look = (() => {
  const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [tabindex]';

  const shown = (e) => e.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true }) && e.getClientRects().length > 0;

  /// A few words by which a person finds the element.
  const name = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ''}${e.classList.length ? ` class="${e.className.baseVal ?? e.className}"` : ''}>`
    + ` ${(e.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40)}`;

  /// What Tab should reach, in the order of the document: all that can be used, and what has been made a stop besides. Of
  /// radio buttons of one name it reaches one.
  const controls = () => {
    const groups = new Set();
    return [...document.querySelectorAll(FOCUSABLE)].filter((e) => {
      if (e.disabled || !shown(e) || (e.tabIndex < 0 && (inList(e) || !e.matches('a, button, input, select, textarea, summary')))) return false;
      if (e.type !== 'radio') return true;
      return groups.has(e.name) ? false : groups.add(e.name);
    });
  };
  /// Lists that Tab reaches once and arrow keys go through: each the element that Tab reaches, and its siblings.
  const lists = () => {
    const found = new Map();
    for (const e of document.querySelectorAll('a[tabindex="-1"], button[tabindex="-1"], input[tabindex="-1"], select[tabindex="-1"]')) {
      const first = [...e.parentElement.children].find((s) => s.tagName === e.tagName && s.tabIndex === 0);
      if (first && shown(e) && !e.disabled) found.set(e.parentElement, first);
    }
    return [...found.values()];
  };
  const inList = (e) => lists().some((first) => first.parentElement === e.parentElement && first.tagName === e.tagName);
  let began = null;
  /// Puts the focus on the first of a list; `moved` says whether it is on another of it by now.
  const begin = (i) => {
    began = lists()[i];
    began.focus();
    return name(began);
  };
  const moved = () => document.activeElement !== began && document.activeElement.parentElement === began.parentElement;
  /// Where the focus is: its place among `controls`, whether it can be seen there.
  const focus = () => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const same = (c) => c === e || (e.type === 'radio' && c.type === 'radio' && c.name === e.name);
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0 && box.height > 0;
    return { at: controls().findIndex(same), id: e.id, name: name(e), ring, inside };
  };
  /// Where what has the focus lies in the window, in words.
  const place = () => {
    const box = document.activeElement.getBoundingClientRect(), n = (x) => x.toFixed(0);
    return `${n(box.left)},${n(box.top)} to ${n(box.right)},${n(box.bottom)} of ${innerWidth}x${innerHeight}, scrolled by ${n(scrollY)}`
      + ` of ${document.scrollingElement.scrollHeight}`;
  };

  const brush = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  /// [r, g, b, alpha] of any colour that CSS can spell.
  const colour = (text) => {
    if (!known.has(text)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = text;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(text, [r, g, b, a / 255]);
    }
    return known.get(text);
  };
  const over = (top, alpha, ground) => top.slice(0, 3).map((c, i) => c * alpha + ground[i] * (1 - alpha));
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  /// What lies behind an element's text: the grounds of it and of all around it, from the page up.
  const ground = (e) => {
    let below = colour(getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff');
    const chain = [];
    for (let n = e; n; n = n.parentElement) chain.unshift(n);
    for (const n of chain) {
      const c = colour(getComputedStyle(n).backgroundColor);
      if (c[3] > 0) below = over(c, c[3], below);
    }
    return below;
  };
  const opacity = (e) => {
    let all = 1;
    for (let n = e; n; n = n.parentElement) all *= Number(getComputedStyle(n).opacity);
    return all;
  };

  /// Texts whose colour is too near to what is behind them (WCAG 2: 4.5, large ones 3). What cannot be used needs none.
  const faint = () => {
    const found = [], seen = new Set();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      if (!walk.currentNode.data.trim() || seen.has(e) || !shown(e) || e.closest('script, style, noscript, option')) continue;
      seen.add(e);
      if (e.closest(':disabled, [aria-disabled=true]')) continue;
      const style = getComputedStyle(e), drawn = e.namespaceURI.endsWith('svg');
      const text = colour(drawn ? style.fill : style.color), behind = ground(e);
      const alpha = text[3] * opacity(e);
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const r = ratio(over(text, alpha, behind), behind);
      if (r < (large ? 3 : 4.5)) found.push(`${r.toFixed(2)}: ${name(e)}`);
    }
    return found;
  };
  const texts = () => {
    let n = 0;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) n += walk.currentNode.data.trim() && shown(walk.currentNode.parentElement) ? 1 : 0;
    return n;
  };

  /// Elements that stick out of the page at the right, outermost first; none when the page does not scroll sideways.
  const wide = () => {
    const room = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= innerWidth) return [];
    return [`${document.scrollingElement.scrollWidth} > ${innerWidth}`,
      ...[...document.querySelectorAll('body *')].filter((e) => shown(e) && e.getBoundingClientRect().right > room + 0.5).slice(0, 4).map(name)];
  };
  return { controls: () => controls().map(name), lists: () => lists().length, begin, moved, focus, place, faint, texts, wide };
})();
