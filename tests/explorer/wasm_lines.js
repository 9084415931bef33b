// SPDX-License-Identifier: BSL-1.0
// The engine in WebAssembly under Node, as explorer_native is on a command line: a request a line, an answer a line.
// usage: node wasm_lines.js FOLDER-OF-engine.js
'use strict';
const path = require('path');
const { readFileSync, writeSync } = require('fs');

globalThis.fetch = undefined;  // Emscripten 3.1 would fetch its file with it, which Node refuses
const engine = require(path.resolve(process.argv[2], 'engine.js'));

function put(text) {
  for (let bytes = Buffer.from(text), done = 0; done < bytes.length;) done += writeSync(1, bytes, done);
}

engine.onRuntimeInitialized = () => {
  for (const line of readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
    put(`${engine.ccall('explorer', 'string', ['string'], [line])}\n`);
  }
};
