// SPDX-License-Identifier: BSL-1.0
#include "client.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace lab {

namespace {

constexpr std::string_view greeting = "hello, world!";
constexpr duration pause = 2 * second;  // the article's sleep(2)

}  // namespace

client::client(network& net, agenda& plans, client_plan plan, client_log& log)
    : net_(net),
      plans_(plans),
      plan_(std::move(plan)),
      log_(log),
      connector_(plan_.profile, {loopback, loopback, server_port, plan_.port}, plan_.iss, plan_.ts_offset),
      wake_(net, [this] { tick(); }) {
  log_.port = plan_.port;
}

send_result client::sink::send(const segment& s) {
  return of.plan_.lost && of.plan_.lost(s) ? send_result::sent : of.port_.send(s);
}

void client::start() {
  log_.start = net_.now();
  port_ = std::move(net_.bind(loopback, plan_.port, {loopback, server_port}).port);
  port_.on_arrival([this] { arrived(); });
  sink out{*this};
  if (plan_.known == nullptr) {
    connector_.start(net_.now(), out);
  } else {
    const byte_view bytes{reinterpret_cast<const std::byte*>(greeting.data()), greeting.size()};
    if (connector_.start(net_.now(), out, *plan_.known, bytes) > 0) log_.sent = net_.now();
  }
  rearm();
}

void client::later(duration d, void (client::*f)()) {
  plans_.after(d, [this, f, here = std::weak_ptr<bool>(here_)] {
    if (!here.expired()) (this->*f)();
  });
}

void client::vanish() {
  connector_.abort();
  drop_socket();
}

void client::drop_socket() {
  wake_.set(std::nullopt);
  port_.close();
}

void client::give_up() {
  if (!port_.is_open()) return;
  if (connection_ == nullptr) {
    connector_.abort();
    return fail("ETIMEDOUT", "Connection timed out");
  }
  if (log_.error.empty()) log_.error = "ETIMEDOUT";
  sink out{*this};
  connection_->close(net_.now(), out);
  rearm();
  if (plan_.changed) plan_.changed();
}

bool client::acknowledge() {
  if (unanswered_) {
    plan_.mute = false;
    const segment s = *unanswered_;
    unanswered_.reset();
    take(s);
    return true;
  }
  if (connection_ == nullptr || !port_.is_open() || connection_->state() == connection_state::closed) return false;
  const established& e = connection_->start();
  segment s = segment_to_peer(e.tuple);
  s.flags = flag::ack;
  s.seq = connection_->send_next();
  s.ack = connection_->receive_next();
  s.window = static_cast<std::uint16_t>(e.first_window());
  s.options.timestamps = e.timestamps();
  if (e.timestamps()) {
    s.options.ts_value = timestamp_at(net_.now(), e.ts_offset);
    s.options.ts_echo = e.theirs.ts_value;
  }
  port_.send(s);
  return true;
}

bool client::reset() {
  if (!port_.is_open()) return false;
  sink out{*this};
  if (connection_ != nullptr) {
    if (connection_->state() == connection_state::closed) return false;
    connection_->abort(net_.now(), out);
  } else {
    segment s = segment_to_peer(connector_.tuple());
    s.flags = flag::rst;
    s.seq = plan_.iss + 1;
    out.send(s);
    connector_.abort();
  }
  drop_socket();
  if (plan_.changed) plan_.changed();
  return true;
}

bool client::speak() {
  if (connection_ == nullptr || !port_.is_open() || connection_->state() == connection_state::closed) return false;
  write();
  return true;
}

void client::arrived() {
  const auto s = port_.receive();
  if (!s) return;
  if (plan_.heard) plan_.heard(*s);
  if (!plan_.mute) return take(*s);
  if (!s->flags.has(flag::syn)) return;
  unanswered_ = *s;
  unanswered_->payload = {};
}

void client::take(const segment& s) {
  sink out{*this};
  if (connection_ != nullptr) {
    react(connection_->receive(s, net_.now(), out));
  } else {
    switch (connector_.receive(s, net_.now(), out)) {
      case connector_event::connected:
        if (plan_.known != nullptr) connector_.learn(*plan_.known);
        carried_ = connector_.data_acked();
        connection_ = std::make_unique<listenq::connection>(plan_.profile, connector_.established(), opening::active);
        later(plan_.wakeup, &client::returned);
        break;
      case connector_event::refused:
        later(plan_.wakeup, &client::refused);
        break;
      default:
        break;
    }
  }
  rearm();
}

void client::refused() {
  if (port_.is_open()) fail("ECONNREFUSED", "Connection refused");
}

void client::returned() {
  if (!port_.is_open()) return;
  if (reset_) return fail("ECONNRESET", "Connection reset by peer");
  back_ = true;
  log_.connected = net_.now();
  if (plan_.changed) plan_.changed();
  say("connected to server: IP 127.0.0.1 PORT 20000");
  if (plan_.known != nullptr) return write();
  if (plan_.data_after) later(*plan_.data_after, &client::write);
}

void client::fail(const char* error, const char* message) {
  back_ = true;
  log_.error = error;
  log_.failed = net_.now();
  say(std::string("CONNECT FAILED !!!!!: ") + message);
  drop_socket();
  if (plan_.changed) plan_.changed();
}

void client::say(std::string text) { log_.console.push_back({net_.now(), std::move(text)}); }

void client::write() {
  if (!port_.is_open() || connection_->state() == connection_state::closed) return;
  if (!log_.sent) log_.sent = net_.now();
  sink out{*this};
  const std::string_view rest = greeting.substr(std::exchange(carried_, 0));
  connection_->send({reinterpret_cast<const std::byte*>(rest.data()), rest.size()}, net_.now(), out);
  rearm();
}

void client::react(connection_events e) {
  if (e.has(connection_event::closed) && connection_->error() != connection_error::none) {
    const bool was_reset = connection_->error() == connection_error::reset;
    reset_ = was_reset;
    if (back_ && log_.received.empty()) log_.received = was_reset ? "ECONNRESET" : "ETIMEDOUT";
    if (plan_.changed) plan_.changed();
    return;
  }
  if (!plan_.echo || !e.has(connection_event::readable)) return;
  std::array<std::byte, 256> bytes{};
  sink out{*this};
  const std::size_t n = connection_->read(bytes.data(), bytes.size(), net_.now(), out);
  std::string text(n, '\0');
  std::memcpy(text.data(), bytes.data(), n);
  text.back() = ' ';  // the program overwrites the newline
  while (!text.empty() && text.back() == ' ') text.pop_back();
  say("length=" + std::to_string(n));
  say("recv from server: " + text);
  later(pause, &client::write);
}

void client::tick() {
  sink out{*this};
  if (connection_ != nullptr) {
    react(connection_->tick(net_.now(), out));
  } else if (connector_.tick(net_.now(), out) == connector_event::timed_out) {
    fail("ETIMEDOUT", "Connection timed out");
  }
  rearm();
}

void client::rearm() {
  if (!port_.is_open()) return;
  if (plan_.mute) return wake_.set(std::nullopt);
  wake_.set(connection_ != nullptr ? connection_->next_deadline() : connector_.next_deadline());
}

std::optional<socket_row> client::socket() const {
  if (!port_.is_open()) return std::nullopt;
  socket_row r{.local = {loopback, plan_.port}, .remote = {loopback, server_port}};
  std::optional<instant> next;
  if (connection_ != nullptr) {
    r.state = connection_->state();
    r.receive_queue = connection_->recv_queue();
    r.send_queue = connection_->unacked();
    r.retransmits = connection_->unacked() > 0 ? connection_->retransmissions() : 0;
    next = connection_->next_deadline();
  } else {
    r.state = connector_.state();
    r.send_queue = connector_.unacked();
    r.retransmits = connector_.syns_sent() - 1;
    next = connector_.next_deadline();
  }
  if (r.state == connection_state::closed) return std::nullopt;
  if (next) r.timer = *next - net_.now();
  return r;
}

std::uint64_t client::syn_repetitions() const noexcept {
  return connector_.syns_sent() > 0 ? connector_.syns_sent() - 1U : 0U;
}

std::uint64_t client::data_repetitions() const noexcept {
  return connection_ != nullptr ? connection_->retransmissions() : 0;
}

std::uint64_t client::timeouts() const noexcept {
  const std::uint64_t data = data_repetitions();
  const std::uint64_t probes = plan_.profile.tail_loss_probe && data > 0 ? 1 : 0;
  const std::uint64_t last = connector_.outcome() == connector_event::timed_out ? 1 : 0;
  return syn_repetitions() + last + data - probes;
}

}  // namespace lab
