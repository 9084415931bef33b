// SPDX-License-Identifier: BSL-1.0
// The engine a second time, in a thread of its own: for questions that take it a second or more.
const started = new Promise((resolve) => { self.Module = { onRuntimeInitialized: () => resolve(self.Module) }; });
importScripts('engine.js');
onmessage = async (e) => postMessage((await started).ccall('explorer', 'string', ['string'], [e.data]));
