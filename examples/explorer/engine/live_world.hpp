// SPDX-License-Identifier: BSL-1.0
// A server of any preset and its clients in virtual time, to be played with: run to a moment, stepped, acted upon,
// changed while it runs. It is the lab's world without an end: the same stack, the same clients, the same network.
// What the page draws is read from it; it knows no JSON. Same settings and same calls, same world, bit for bit.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agenda.hpp"
#include "client.hpp"
#include "segment_text.hpp"
#include "traffic.hpp"
#include "why.hpp"
#include "world_settings.hpp"

namespace explorer {

/// One thing that happened.
struct event {
  std::uint64_t n = 0;
  instant at = 0;
  const char* kind = "";
  std::optional<std::uint32_t> client{};
  bool flood = false;
  bool to_server = false;
  listenq::flags flags{};
  seq_number seq = 0;
  seq_number ack = 0;
  std::size_t bytes = 0;
  bool lost = false;
  instant sent = 0;
  std::string verdict{};
  std::string why{};
  lab::queue_state queues{};
};

/// A segment on its way, or one that got lost.
struct flight {
  std::uint64_t n = 0;
  std::uint16_t port = 0;
  std::optional<std::uint32_t> client{};
  bool flood = false;
  bool to_server = false;
  listenq::flags flags{};
  seq_number seq = 0;
  seq_number ack = 0;
  std::size_t bytes = 0;
  instant sent = 0;
  std::optional<instant> arrives{};
  seq_number number = 0;  ///< as in the segment, not relative
};

/// Who connects.
struct visitor {
  std::uint32_t id = 0;
  const char* kind = "";
  std::unique_ptr<lab::client> endpoint{};  ///< null: long gone
  lab::client_log log{};
  std::optional<instant> accepted{};
  bool cookie = false;  ///< the server has answered with one, and keeps nothing
  bool counted_connected = false;
  bool counted_failed = false;
  lab::socket_row last{};  ///< what it was when it went
  unsigned syns = 0;
};

struct totals {
  std::uint64_t clients = 0;
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  ///< clients that the world had no room for
};

/// Something that was done to the listener itself.
struct call {
  enum class what { segment, accept, listen, close, set } kind = what::segment;
  instant at = 0;
  endpoint from{};
  listenq::flags flags{};
  std::size_t bytes = 0;
  int backlog = 0;
  tunable which{};
  std::uint32_t value = 0;
};

enum class deed { syn, raw_syn, ack, rst, data, accept, tick, close, listen };

class live_world {
 public:
  static constexpr std::size_t most_events = 20'000;     ///< that are kept
  static constexpr std::size_t most_packets = 20'000;    ///< that are kept
  static constexpr std::size_t most_visitors = 3'000;    ///< that are there at a time
  static constexpr std::size_t most_remembered = 1'000;  ///< of those that are gone
  static constexpr std::size_t most_calls = 400;         ///< that are kept: the first ones

  explicit live_world(const world_settings& s);
  live_world(const live_world&) = delete;
  live_world& operator=(const live_world&) = delete;

  /// What is wrong with listen() here; empty if nothing is.
  const std::string& objection() const { return objection_; }

  /// Everything up to and including `to`, at most so many events; false if there are more.
  bool advance(instant to, std::size_t events);
  /// The next thing that can be seen; false if there is none.
  bool step();
  /// Empty, or what is wrong with it.
  std::string act(deed what, std::optional<std::uint32_t> client, const char* kind = "hand");
  /// Empty, or what is wrong with it. Preset and seed stay.
  std::string change(const world_settings& next);

  instant now() const { return net_.now(); }
  std::optional<instant> next_event() { return net_.next_event(); }
  const world_settings& settings() const { return settings_; }
  bool closed() const { return closed_; }
  lab::queue_state queues() const { return server_->queues(); }
  const lab::rules& rules() const { return rules_; }
  const lab::stack& server() const { return *server_; }
  const explorer::totals& totals() const { return totals_; }
  std::uint64_t stranded() const;
  const std::map<std::uint32_t, visitor>& visitors() const { return visitors_; }
  std::optional<std::uint32_t> client_at(std::uint16_t port) const;
  /// When its request was admitted.
  instant born(std::uint16_t port) const;
  /// Ports of the connections that wait, oldest first, and since when.
  const std::deque<std::pair<std::uint16_t, instant>>& waiting() const { return waiting_; }
  std::vector<flight> wire() const;
  const std::deque<event>& events() const { return events_; }
  std::uint64_t next_number() const { return next_number_; }
  const std::vector<lab::packet>& packets() const { return packets_; }
  const std::optional<event>& last() const { return last_; }
  std::optional<instant> busy_until() const;
  bool stalled() const { return settings_.stalled && settings_.stalled->covers(now()); }
  /// The first of what was done to the listener itself, in order: what a program of one's own would have to do.
  const std::vector<call>& calls() const { return calls_; }

 private:
  static bool is_flood(std::uint16_t port) { return port < lab::first_client_port; }
  event& note(const char* kind, std::uint16_t port = 0, std::string why = {});
  void settle(instant before);
  void land(const flight& f);
  flight take_off(const segment& s, instant sent, std::optional<instant> arrives);
  flight find_flight(const segment& s);
  send_result from_server(const segment& s);
  void saw(instant at, const segment& s, bool lost);
  void arrived();
  void decided(const lab::decision& d);
  void stirred(std::uint16_t port, connection_events e);
  void timers_due();
  void rearm() { wake_.set(server_->next_deadline()); }
  std::string listen();
  void set_links();
  void remember(const call& c);
  void retire(visitor& v);
  void find_rules();

  visitor* begin(const char* kind, bool mute);
  bool make_room();
  void changed(std::uint32_t id);
  void lose_patience(std::uint32_t id);
  void plan_arrivals();
  void plan_flood();
  void flood_once();
  void plan_accept();
  bool accept_one();
  void read(lab::stack::child& c);
  visitor* visitor_at(std::uint16_t port);

  world_settings settings_;
  network net_;
  lab::agenda plans_;
  network::port port_{};
  network::port flood_port_{};
  std::unique_ptr<lab::stack> server_;
  network::wake wake_;
  lab::rules rules_{};
  lab::tunable_values_set at_listen_{};
  std::string objection_{};
  bool closed_ = false;

  poisson arrivals_;
  poisson floods_;
  unsigned arrival_round_ = 0;
  unsigned flood_round_ = 0;
  unsigned accept_round_ = 0;
  bool accept_planned_ = false;
  instant free_at_ = 0;  // when the application comes back to accept()

  std::map<std::uint32_t, visitor> visitors_;
  std::map<std::uint16_t, std::uint32_t> ids_;
  std::map<std::uint16_t, instant> born_;
  std::deque<std::pair<std::uint16_t, instant>> waiting_;
  std::uint32_t next_id_ = 0;
  std::size_t present_ = 0;
  explorer::totals totals_{};

  std::multimap<instant, flight> in_air_;
  std::deque<flight> lost_;
  lab::relative_numbers numbers_;
  std::deque<event> events_;
  std::uint64_t next_number_ = 0;
  std::uint64_t next_flight_ = 0;
  std::vector<lab::packet> packets_;
  std::vector<call> calls_;
  std::optional<event> last_{};
  std::optional<std::uint64_t> current_{};  // the event whose consequences are under way
};

}  // namespace explorer
