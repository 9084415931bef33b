#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Serves a folder on 127.0.0.1 and prints the address. usage: serve.py FOLDER PORT, where port 0 is any free one"""
import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                      ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm"}

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments):
        pass


folder, port = sys.argv[1], int(sys.argv[2])
try:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=folder))
except OSError as error:
    sys.exit(f"port {port}: {error.strerror}")
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
