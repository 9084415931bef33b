// SPDX-License-Identifier: BSL-1.0
#include "stack.hpp"

namespace lab {

stack::stack(const kernel_profile& profile, std::unique_ptr<door> listener, stack_hooks hooks)
    : profile_(profile), listener_(std::move(listener)), hooks_(std::move(hooks)) {
  listener_->on_timer = [this](instant now, const four_tuple& key, timer_outcome t) { timer_fired(now, key, t); };
}

void stack::close(instant now) {
  sink out{*this, now};
  listener_->close(out, now);
}

void stack::shutdown(instant now) {
  sink out{*this, now};
  listener_->shutdown(shutdown_how::both, out, now);
}

bool stack::sink::make_child(const handshake& h, const segment& last) {
  const std::uint16_t port = h.key.peer_port;
  child& c = of.children_[port];
  c = {h.key, std::make_unique<listenq::connection>(of.profile_, child_of(h, last), opening_of(h)), false, h};
  of.after(c, c.connection->receive(last, now, *this), now);
  return true;
}

void stack::sink::reset_child(const four_tuple& key) {
  if (child* c = of.find(key.peer_port)) {
    c->accepted = true;  // out of the queue: the listener need not be told
    c->connection->abort(now, *this);
    of.after(*c, connection_event::closed, now);
  }
}

stack::child* stack::find(std::uint16_t port) {
  const auto i = children_.find(port);
  return i == children_.end() ? nullptr : &i->second;
}

void stack::forget(std::uint16_t port) {
  const auto old = deadlines_.find(port);
  if (old != deadlines_.end()) {
    due_.erase({old->second, port});
    deadlines_.erase(old);
  }
  children_.erase(port);
}

std::optional<outcome> stack::receive(const segment& s, instant now) {
  child* c = find(s.source.port);
  if (c == nullptr || c->connection->state() == connection_state::closed) return to_listener(s, now, {});
  sink out{*this, now};
  const connection_events e = c->connection->receive(s, now, out);
  after(*c, e, now);
  if (!e.has(connection_event::reused)) return std::nullopt;
  return to_listener(s, now, {.isn = c->connection->reuse_isn()});
}

std::optional<outcome> stack::to_listener(const segment& s, instant now, const arrival& facts) {
  remember_queues();
  decision d{.at = now, .port = s.source.port, .flags = s.flags, .payload = s.payload.size, .before = last_};
  sink out{*this, now};
  d.segment = listener_->receive(s, now, out, facts);
  remember_queues();
  d.after = last_;
  hooks_.decided(d);
  return d.segment;
}

void stack::timer_fired(instant now, const four_tuple& key, timer_outcome t) {
  decision d{.at = now, .port = key.peer_port, .is_timer = true, .timer = t, .before = last_};
  remember_queues();
  d.after = last_;
  hooks_.decided(d);
}

void stack::tick(instant now) {
  remember_queues();
  sink out{*this, now};
  listener_->tick(now, out);
  while (!due_.empty() && due_.begin()->first <= now) {
    child& c = children_.at(due_.begin()->second);
    after(c, c.connection->tick(now, out), now);
  }
}

std::optional<instant> stack::next_deadline() const {
  const std::optional<instant> l = listener_->next_deadline();
  if (due_.empty()) return l;
  return l && *l < due_.begin()->first ? l : due_.begin()->first;
}

stack::child* stack::accept(instant now) {
  const auto a = listener_->accept(now);
  if (!a) return nullptr;
  child* c = find(a.handle.peer_port);
  if (c != nullptr) c->accepted = true;
  return c;
}

std::size_t stack::read(child& c, std::byte* to, std::size_t room, instant now) {
  sink out{*this, now};
  const std::size_t n = c.connection->read(to, room, now, out);
  after(c, {}, now);
  return n;
}

std::size_t stack::send(child& c, byte_view bytes, instant now) {
  sink out{*this, now};
  const std::size_t n = c.connection->send(bytes, now, out);
  after(c, {}, now);
  return n;
}

void stack::close(child& c, instant now) {
  sink out{*this, now};
  c.connection->close(now, out);
  after(c, {}, now);
}

void stack::after(child& c, connection_events e, instant now) {
  const std::uint16_t port = c.key.peer_port;
  const auto old = deadlines_.find(port);
  if (old != deadlines_.end()) {
    due_.erase({old->second, port});
    deadlines_.erase(old);
  }
  if (const std::optional<instant> next = c.connection->next_deadline()) {
    deadlines_[port] = *next;
    due_.insert({*next, port});
  }
  if (c.shake.fast_open && !c.settled) {
    if (const auto end = end_of_handshake(*c.connection)) {
      c.settled = true;
      listener_->child_settled(c.key, *end, now);
    }
  }
  if (e.has(connection_event::closed) && !c.accepted) listener_->child_gone(c.key);
  if (!e.empty()) hooks_.stirred(port, e);
}

}  // namespace lab
