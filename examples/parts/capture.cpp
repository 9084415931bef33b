// SPDX-License-Identifier: BSL-1.0
#include "capture.hpp"

#include <listenq/transport/traced.hpp>

namespace lab {

namespace {

/// A stream would bring half of the standard library into WebAssembly.
struct text_output {
  std::string text{};
  void write(const char* bytes, std::streamsize size) { text.append(bytes, static_cast<std::size_t>(size)); }
};

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
  text_output out;
  basic_pcapng_recorder recorder(out);
  replay(packets, recorder);
  return out.text;
}

std::string as_mermaid(const std::vector<packet>& packets) {
  text_output out;
  basic_mermaid_recorder recorder(out);
  recorder.name(endpoint{loopback, server_port}, "S", true);
  replay(packets, recorder);
  return out.text;
}

}  // namespace lab
