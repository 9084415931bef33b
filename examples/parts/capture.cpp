// SPDX-License-Identifier: BSL-1.0
#include "capture.hpp"

#include <listenq/transport/traced.hpp>
#include <sstream>

namespace lab {

namespace {

template <class Recorder>
void replay(const std::vector<packet>& packets, Recorder& recorder) {
  for (const packet& p : packets) {
    segment s = p.segment;
    s.payload = {p.payload.data(), p.payload.size()};
    recorder.record(p.at, s, p.lost);
  }
}

}  // namespace

std::string as_pcapng(const std::vector<packet>& packets) {
  std::ostringstream out;
  pcapng_recorder recorder(out);
  replay(packets, recorder);
  return out.str();
}

std::string as_mermaid(const std::vector<packet>& packets) {
  std::ostringstream out;
  mermaid_recorder recorder(out);
  recorder.name(endpoint{loopback, server_port}, "S", true);
  replay(packets, recorder);
  return out.str();
}

}  // namespace lab
