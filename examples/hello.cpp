#include <cstdio>
#include <listenq/listenq.hpp>
using namespace listenq;

// Slots in any order; those that are not named keep their defaults.
using door = listener<accept_full_at_ack<reset>,                // a late final ACK gets a RST
                      sizing<pipeline<at_least<8>, plus<1>>>>;  // at least nine half-open connections

segment from(std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
  return {{ip(127, 0, 0, 1), port}, {ip(127, 0, 0, 1), 20000}, seq, ack, f};
}

int main() {
  door server;
  server.listen(1);
  seq_number ours[3];
  for (std::uint16_t i = 0; i < 3; ++i) ours[i] = server.receive(from(30001 + i, flag::syn, 1000), 0).reply->seq;
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto step = server.receive(from(30001 + i, flag::ack, 1001, ours[i] + 1), 20 * millisecond);
    std::printf("client %d: %s\n", i, name_of(step.outcome.verdict));
  }
  while (const auto c = server.accept()) std::printf("accepted port %d\n", c.handle.peer_port);
}
