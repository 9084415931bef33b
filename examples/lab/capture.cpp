// SPDX-License-Identifier: BSL-1.0
#include "capture.hpp"

#include <listenq/transport/traced.hpp>
#include <sstream>

namespace lab {

namespace {

template <class Recorder>
void replay(const record& r, Recorder& recorder) {
  for (const packet& p : r.packets) {
    segment s = p.segment;
    s.payload = {p.payload.data(), p.payload.size()};
    recorder.record(p.at, s, p.lost);
  }
}

}  // namespace

std::string as_pcapng(const record& r) {
  std::ostringstream out;
  pcapng_recorder recorder(out);
  replay(r, recorder);
  return out.str();
}

std::string as_mermaid(const record& r) {
  std::ostringstream out;
  mermaid_recorder recorder(out);
  recorder.name(endpoint{loopback, server_port}, "S", true);
  replay(r, recorder);
  return out.str();
}

}  // namespace lab
