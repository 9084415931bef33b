// Can I answer a slot myself? Yes: a policy is a struct that satisfies the concept in the slot's header.
// This one keeps a late final ACK waiting while few requests do, and resets it once the queue is crowded.
#include <cstdio>
#include <listenq/listenq.hpp>

using namespace listenq;

/// Facts in, answer out; no state, no pointer back into the listener.
template <std::uint32_t Crowd>
struct reset_in_a_crowd {
  static constexpr const char* name = "reset_in_a_crowd";
  static constexpr ack_answer on_overflow(const overflow_facts& f, const tunable_source auto&) noexcept {
    return f.lengths.requests > Crowd ? ack_answer::reset : ack_answer::keep;
  }
};

/// A gate of our own: at most four times as many requests as the backlog; the next SYN is told so.
struct four_times_backlog {
  static constexpr const char* name = "four_times_backlog";
  static constexpr gate_owner owner = gate_owner::gate;
  static constexpr syn_answer answer = syn_answer::reset;
  static constexpr bool closed(const syn_facts& f, const tunable_source auto&) noexcept {
    return f.lengths.requests >= 4 * f.backlog;
  }
};

using door = listener<accept_full_at_ack<reset_in_a_crowd<2>>, sizing<pipeline<at_least<16>>>,
                      admission<in_order<gates::known_request, four_times_backlog, gates::request_queue>>>;

constexpr segment from(std::uint16_t port, flags f, seq_number seq, seq_number ack = 0) {
  return {.source = {ip(10, 0, 0, 2), port}, .destination = {ip(10, 0, 0, 1), 80}, .seq = seq, .ack = ack, .flags = f};
}

/// Five clients at listen(1): the gate stops the last SYN; of the others two are connected, and two wait on.
constexpr bool behaves() {
  door server;
  server.listen(1);
  seq_number ours[4]{};
  for (std::uint16_t i = 0; i < 4; ++i) ours[i] = server.receive(from(i, flag::syn, 1), 0).reply->seq;
  if (server.receive(from(4, flag::syn, 1), 0).outcome.verdict != verdict::dropped_by_gate) return false;
  constexpr verdict expected[] = {verdict::promoted, verdict::promoted, verdict::overflow_kept, verdict::overflow_kept};
  for (std::uint16_t i = 0; i < 4; ++i) {
    if (server.receive(from(i, flag::ack, 2, ours[i] + 1), 1).outcome.verdict != expected[i]) return false;
  }
  server.receive(from(5, flag::syn, 1), 2);  // a third request: now it is a crowd
  return server.receive(from(2, flag::ack, 2, ours[2] + 1), 3).outcome.verdict == verdict::overflow_reset;
}
static_assert(behaves());

int main() { std::puts("two connected, two kept waiting, one SYN refused at the gate, one reset in the crowd"); }
