// SPDX-License-Identifier: BSL-1.0
// The sizing panel: asks the engine how big a backlog should be, and shows closed forms beside the simulation.
import { $ } from './dom.js';

export function startSizing() {
  $('sizing').hidden = true;
}
