// SPDX-License-Identifier: BSL-1.0
// The way to the engine: the C++ library as WebAssembly behind one function, a JSON object in and a JSON object out.
// Loads engine.js, which sits beside this file, once; says in one sentence what is wrong if it cannot.

let call = null;

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = src;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${src} could not be loaded. Was the page built with ./examples/run explorer?`));
    document.head.append(script);
  });
}

async function loadBytes(src) {
  const answer = await fetch(src).catch(() => null);
  if (!answer?.ok) throw new Error(`${src} could not be loaded. Was the page built with ./examples/run explorer?`);
  return answer.arrayBuffer();
}

/// Resolves when the engine answers; rejects with an Error whose message is a sentence for the reader.
export async function load() {
  if (typeof WebAssembly !== 'object') throw new Error('This browser has no WebAssembly, so the listener cannot run here.');
  const bytes = loadBytes('engine.wasm');
  const started = new Promise((resolve, reject) => {
    const fail = () => reject(new Error('The engine did not start: this browser refuses to run its WebAssembly.'));
    window.Module = { onRuntimeInitialized: () => resolve(window.Module), onAbort: fail };
    setTimeout(fail, 20000);
  });
  window.Module.wasmBinary = await bytes;
  await loadScript('engine.js');
  const module = await started;
  call = (text) => module.ccall('explorer', 'string', ['string'], [text]);
}

function read(text) {
  const answer = JSON.parse(text);
  if (answer.error) throw new Error(answer.error);
  return answer;
}

/// One request, one answer. Throws an Error with the engine's sentence when the request is wrong.
export function ask(request) {
  if (!call) throw new Error('The engine is not there yet.');
  return read(call(JSON.stringify(request)));
}

let aside = null;

/// The same without holding up the page; one question at a time. It knows no worlds.
export function askAside(request) {
  aside ??= new Worker('engine_worker.js');
  return new Promise((resolve, reject) => {
    aside.onmessage = (e) => resolve(e.data);
    aside.onerror = () => reject(new Error('The engine could not be started a second time.'));
    aside.postMessage(JSON.stringify(request));
  }).then(read);
}
