// SPDX-License-Identifier: BSL-1.0
#include "sizing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace calculator {

namespace {

using namespace listenq;

constexpr double one_in_thousand = 1e-3;
constexpr std::size_t most_rows = 8;

std::string digits(double x, int significant) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", significant, x);
  return text;
}
std::string whole(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", x);
  return text;
}
double seconds(duration d) { return static_cast<double>(d) / 1e6; }

/// What is asked with its defaults filled in.
struct planned {
  question q;
  double rate;         // of those who ACK
  double service;      // never 0
  duration handshake;  // 1.5 round trips
  double in_time;      // seconds that may be waited
  explicit planned(question asked) : q(std::move(asked)) {
    if (q.people.service <= 0) q.people.service = 1.25 * q.people.rate;
    rate = q.people.rate * (1 - q.people.never_ack);
    service = q.people.service;
    handshake = q.people.rtt / 2 * 3;
    in_time = std::max(0.0, seconds(q.people.deadline - handshake));
  }
  double stall_share() const { return q.people.stall > 0 ? seconds(q.people.stall) / seconds(q.people.every) : 0; }
  double accepted() const { return service * (1 - stall_share()); }  // a second, at most
  /// In overload: until the queue is full, but not longer than it takes the clients to come.
  duration settling(std::uint32_t slots, std::uint64_t clients) const {
    if (rate <= accepted()) return 0;
    return std::llround(1e6 * std::min(slots / (rate - accepted()), static_cast<double>(clients) / rate));
  }
  calculator::window window() const {
    return window_of(rate, seconds(q.people.stall), service, seconds(q.people.deadline));
  }
  /// Bursts of B make the count B times over-dispersed; one stall in a hundred brings more than this.
  double with_margin() const {
    const double mean = window().least;
    if (mean <= 0) return static_cast<double>(q.people.burst);
    const double spread = 1 + (q.people.burst - 1.0) * (1 - q.people.never_ack);
    return static_cast<double>(count_quantile(mean, spread, 0.01));
  }
};

/// How many clients may come for one row before all who are counted have their answer.
double most_clients(const planned& p, std::size_t rows) {
  const crowd& c = p.q.people;
  double counted = static_cast<double>(p.q.clients) / static_cast<double>(rows);
  if (c.stall > 0) counted = std::max(counted, p.rate * seconds(c.every));
  return ((p.rate > p.accepted() ? 2 : 1.1) * counted + p.rate * seconds(c.deadline)) / (1 - c.never_ack);
}
bool too_many(const planned& p, std::size_t rows) {
  return static_cast<double>(rows) * most_clients(p, rows) > 6 * static_cast<double>(p.q.clients);
}

/// What no listen() can exceed here.
double most_backlog(const planned& p) {
  return p.q.preset->reads(tunable::somaxconn) ? p.q.preset->value(tunable::somaxconn, p.q.tunables) : 65535.0;
}

std::vector<int> usual_backlogs(const planned& p) {
  const calculator::window w = p.window();
  std::vector<int> all;
  const auto add = [&all, most = std::min(most_backlog(p), 65535.0)](double x) {
    const int n = static_cast<int>(std::min(std::ceil(x), most));
    if (n >= 1 && std::find(all.begin(), all.end(), n) == all.end()) all.push_back(n);
  };
  add(128);
  if (w.least >= 1) add(p.with_margin());
  add(511);
  add(4096);
  if (w.least >= 1) add(w.least);
  if (!w.empty()) add(w.most);
  if (all.size() < 4) add(32);
  while (all.size() > 2 && too_many(p, all.size())) all.pop_back();
  std::sort(all.begin(), all.end());
  return all;
}

row closed_row(const planned& p, int backlog) {
  row r;
  r.backlog = backlog;
  const explanation e = p.q.preset->explain(backlog, p.q.tunables);
  r.in_force = e.backlog;
  r.accept_slots = e.accept_slots;
  r.request_slots = std::min(e.request_slots, e.unproven_slots);
  const std::uint64_t places = std::uint64_t{e.accept_slots} + 1;
  const double rho = p.rate / p.service;
  auto& c = r.closed;
  c.loss = mm1k_loss(rho, places);
  c.wait = mm1k_wait(rho, places, p.service) * 1e6;
  c.beyond = c.loss + (1 - c.loss) * mm1k_wait_beyond(rho, places, p.service, p.in_time);
  if (c.loss < 0.01) {
    const double t = mm1k_wait_quantile(rho, places, p.service, (0.01 - c.loss) / (1 - c.loss));
    if (t <= p.in_time) c.p99 = t * 1e6;
  }
  if (p.q.people.stall > 0) {
    const double overflow = p.window().least - static_cast<double>(e.accept_slots);
    c.stall_loss = std::max(0.0, overflow) / (p.rate * seconds(p.q.people.every));
  }
  return r;
}

/// What the closed forms do not know of this crowd.
std::string unknown_to_closed_forms(const crowd& c, bool lossy) {
  std::vector<std::string> all;
  if (c.stall > 0) all.push_back("no stalls (" + time_text(static_cast<double>(c.stall)) + ")");
  if (c.burst > 1) all.push_back("no bursts (of " + std::to_string(c.burst) + ")");
  if (lossy) all.push_back("no repeated SYNs");
  if (all.empty()) return "they know no round trip between a SYN and its place in the accept queue";
  std::string s = "they know ";
  for (std::size_t i = 0; i < all.size(); ++i) s += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + all[i];
  return s;
}

/// ", 37 times as much", if that says anything.
std::string times_text(const row& r) {
  if (!r.factor || *r.factor >= 1e4 || *r.factor <= 1e-4) return {};
  const double f = *r.factor >= 1 ? *r.factor : 1 / *r.factor;
  return ", " + (f < 99.5 ? digits(f, 2) : whole(f)) + (*r.factor >= 1 ? " times as much" : " times less");
}

/// Where closed form and simulation part, if they do: by half as much again, and by more than chance and 1 in 2000.
void compare(row& r, const crowd& c) {
  const auto parts = [&r](const char* of, double closed, const estimate& e) {
    const double gap = std::fabs(e.value - closed);
    if (gap <= std::max(0.0005, e.plus_minus)) return false;
    if (e.value > 0 && closed > 0 && e.value / closed < 1.5 && e.value / closed > 1 / 1.5) return false;
    r.parts_in = of;
    if (closed > 1e-9 && e.value > 0) r.factor = e.value / closed;
    return true;
  };
  const bool lossy = r.simulated.turned_away.value > 0.0005;
  const std::string because = unknown_to_closed_forms(c, lossy) + ".";
  if (parts("loss", r.closed.loss, r.simulated.turned_away)) {
    r.disagreement = "M/M/1/K turns away " + share_text(r.closed.loss) + ", the simulation " +
                     share_text(r.simulated.turned_away.value) + times_text(r) + ": " + because;
    return;
  }
  if (r.closed.p99.has_value() != r.p99.has_value() ||
      (r.p99 && std::fabs(static_cast<double>(*r.p99) - *r.closed.p99) > 1000 &&
       (static_cast<double>(*r.p99) > 1.5 * *r.closed.p99 || static_cast<double>(*r.p99) < *r.closed.p99 / 1.5))) {
    r.parts_in = "p99";
    if (r.p99 && r.closed.p99 && *r.p99 > 0 && *r.closed.p99 > 0) {
      r.factor = static_cast<double>(*r.p99) / *r.closed.p99;
    }
    const auto text = [](const auto& t) { return t ? time_text(static_cast<double>(*t)) : std::string("too long"); };
    r.disagreement = "One in a hundred waits " + text(r.closed.p99) + " by the closed form, " + text(r.p99) +
                     " in the simulation" + times_text(r) + ": " + because;
    return;
  }
  if (parts("beyond", r.closed.beyond, r.simulated.beyond)) {
    r.disagreement = share_text(r.closed.beyond) + " come too late by the closed form, " +
                     share_text(r.simulated.beyond.value) + " in the simulation" + times_text(r) + ": " + because;
  }
}

std::string meaning(const row& r, const planned& p) {
  const crowd_report& s = r.simulated;
  const std::string wait =
      r.p99 ? "one in a hundred waits longer than " + time_text(static_cast<double>(*r.p99))
            : "one in a hundred or more gives up after " + time_text(static_cast<double>(p.q.people.deadline));
  std::string text;
  if (s.turned_away.value == 0) {
    text = "nobody is turned away, ";
  } else {
    text = share_text(s.turned_away.value) + " are turned away at first";
    if (!s.steps.empty() && s.steps[0] > 0) {
      text += " and wait for their next SYN, " + time_text(static_cast<double>(p.q.people.kernel.syn_timeout));
    }
    text += "; ";
  }
  text += wait;
  if (s.late > 0.0005) text += "; " + share_text(s.late) + " are accepted after they gave up: work for nothing";
  return text + ".";
}

void simulate(row& r, const planned& p, std::size_t rows) {
  const lab::stack_keys keys{};
  const auto door = p.q.preset->make_door(&keys);
  for (const auto& [t, value] : p.q.tunables) door->set(t, value, 0);
  door->listen(r.backlog, 0);
  crowd c = p.q.people;
  c.clients = std::max<std::uint64_t>(1, p.q.clients / rows);
  c.settle = p.settling(r.accept_slots, c.clients);
  r.simulated = play(*door, c);
  if (const duration w = r.simulated.wait_exceeded_by(0.01); w >= 0) r.p99 = w;
  compare(r, c);
  r.text = meaning(r, p);
}

void judge_window(answer& a, const planned& p) {
  const crowd& c = p.q.people;
  a.window = p.window();
  a.with_margin = p.with_margin();
  const std::string least = whole(std::ceil(a.window.least));
  const std::string most = whole(std::floor(a.window.most));
  if (c.stall <= 0) {
    a.window_text = "At most " + most + ": so many are accepted in " + time_text(static_cast<double>(c.deadline)) +
                    ", the clients' patience. There are no stalls, so nothing but bursts asks for a backlog.";
    return;
  }
  if (!a.window.empty()) {
    a.window_text = "A backlog from " + least + " to " + most + ": in a stall of " +
                    time_text(static_cast<double>(c.stall)) + " come " + least + ", and in " +
                    time_text(static_cast<double>(c.deadline)) + ", the clients' patience, " + most +
                    " are accepted. One stall in a hundred brings more than " + whole(a.with_margin) +
                    (c.burst > 1 ? ", for clients come in bursts." : ".");
    return;
  }
  a.window_text =
      "No backlog fits: in a stall of " + time_text(static_cast<double>(c.stall)) + " come " + least + ", and within " +
      time_text(static_cast<double>(c.deadline)) + " only " + most +
      " are accepted. A smaller backlog turns clients away, a larger one serves clients that have given up.";
  a.remedy = "At least " + whole(std::ceil(a.window.least / seconds(c.deadline))) +
             " accepts a second, or stalls of at most " + time_text(a.window.most / p.rate * 1e6) + ".";
}

void judge_load(answer& a, const planned& p) {
  a.load = p.rate / p.accepted();
  a.load_text = share_text(a.load) + " of what can be accepted";
  if (p.stall_share() > 0) a.load_text += " (stalls take " + share_text(p.stall_share()) + " of the time)";
  a.load_text += ".";
  if (a.load >= 1) {
    a.warnings.push_back("Overload: " + digits(p.rate, 4) + " clients a second come, " + digits(p.accepted(), 4) +
                         " are accepted. Whatever the backlog, " + share_text(1 - 1 / a.load) +
                         " will not be; a bigger one buys only delay.");
  }
}

void judge_requests(answer& a, const planned& p) {
  const crowd& c = p.q.people;
  const explanation e = p.q.preset->explain(p.q.backlogs.back(), p.q.tunables);
  a.request_life = e.dies_at;
  a.requests = half_open(c.rate, seconds(c.rtt), c.never_ack, seconds(e.dies_at));
  const double prompt = c.rate * (1 - c.never_ack) * seconds(c.rtt);
  const double burst = c.burst - 1.0;
  const double spread =
      a.requests <= 0 ? 1 : 1 + burst * ((1 - c.never_ack) * prompt + c.never_ack * (a.requests - prompt)) / a.requests;
  a.request_need = a.requests > 0 ? erlang_b_slots(a.requests, one_in_thousand) : 1;
  a.bursty_need =
      std::max({a.request_need, count_quantile(a.requests, spread, one_in_thousand), std::uint64_t{c.burst}});
  a.request_text = digits(a.requests, 3) + " are half-open on average (" + time_text(static_cast<double>(c.rtt)) +
                   " each" +
                   (c.never_ack > 0 ? ", " + time_text(static_cast<double>(e.dies_at)) + " those that never ACK" : "") +
                   "). One SYN in a thousand finds " + std::to_string(a.request_need) + " places taken (Erlang-B)" +
                   (c.burst > 1 ? ", with bursts " + std::to_string(a.bursty_need) + "." : ".");
  std::string few;
  for (const row& r : a.rows) {
    if (r.request_slots >= a.bursty_need) continue;
    few += (few.empty() ? "listen(" : ", listen(") + std::to_string(r.backlog) + ") " + std::to_string(r.request_slots);
  }
  if (!few.empty()) {
    a.warnings.push_back("Too few places for requests, of " + std::to_string(a.bursty_need) + ": " + few +
                         ". Beyond that a SYN gets " + (e.cookies != cookie_mode::off ? "a cookie." : "no answer."));
  }
}

void warn_of_closed_forms(answer& a, const planned& p) {
  bool lossy = false;
  std::string where;
  for (const row& r : a.rows) {
    if (r.parts_in.empty()) continue;
    lossy = lossy || r.simulated.turned_away.value > 0.0005;
    where += (where.empty() ? " listen(" : "; listen(") + std::to_string(r.backlog) + ") ";
    const auto text = [](const auto& t) { return t ? time_text(static_cast<double>(*t)) : std::string("too long"); };
    if (r.parts_in == "p99") {
      where += "waits " + text(r.closed.p99) + " and " + text(r.p99) + " (p99)";
    } else if (r.parts_in == "loss") {
      where += "turns away " + share_text(r.closed.loss) + " and " + share_text(r.simulated.turned_away.value);
    } else {
      where += "fails " + share_text(r.closed.beyond) + " and " + share_text(r.simulated.beyond.value);
    }
    where += times_text(r);
  }
  if (where.empty()) return;
  a.warnings.push_back("Do not trust the closed forms here: " + unknown_to_closed_forms(p.q.people, lossy) +
                       ". By them and by the simulation:" + where + ".");
}

void judge_rows(answer& a, const planned& p) {
  const crowd& c = p.q.people;
  if (!a.window.empty() && a.with_margin > most_backlog(p)) {
    a.warnings.push_back("net.core.somaxconn is " + whole(most_backlog(p)) + ": no listen() gets more. Raise it to " +
                         whole(a.with_margin) + " at least.");
  }
  for (const row& r : a.rows) {
    if (r.backlog >= 0 && r.in_force < static_cast<std::uint32_t>(r.backlog)) {
      a.warnings.push_back("listen(" + std::to_string(r.backlog) + ") is " + std::to_string(r.in_force) + " here" +
                           (p.q.preset->reads(tunable::somaxconn) ? ": net.core.somaxconn." : "."));
    }
  }
  if (c.stall > c.deadline) {
    a.warnings.push_back("A stall is longer than the clients' patience: whoever comes in its first " +
                         time_text(static_cast<double>(c.stall - c.deadline)) +
                         " gives up before the first accept(), whatever the backlog.");
  }
  warn_of_closed_forms(a, p);
  if (c.burst == 1) {
    a.warnings.push_back(
        "Bursts of one are Poisson, and clients are not: the one published table of a listener's queue is 3.6 times "
        "over-dispersed. Try bursts of 4 or more.");
  }
  if (c.stall > 0 && !a.rows.empty() && a.rows.front().simulated.periods < 3) {
    a.warnings.push_back("Only " + std::to_string(a.rows.front().simulated.periods) +
                         (a.rows.front().simulated.periods == 1 ? " stall was" : " stalls were") +
                         " simulated for each backlog: allow more clients.");
  }
}

void advise(answer& a, const planned& p) {
  const row* best = nullptr;
  for (const row& r : a.rows) {  // the smallest that turns nobody away, or as good as
    const estimate& lost = r.simulated.turned_away;
    if (lost.value > one_in_thousand || r.simulated.beyond.value > one_in_thousand) continue;
    if (best == nullptr || r.in_force < best->in_force) best = &r;
  }
  if (best != nullptr) {
    a.advice = "listen(" + std::to_string(best->backlog) + "): " + best->text;
    if (p.q.people.stall > 0) {
      a.advice += " What is left is the stall itself, and a larger backlog does not shorten it.";
    }
    return;
  }
  for (const row& r : a.rows) {
    if (best == nullptr || r.simulated.beyond.value < best->simulated.beyond.value) best = &r;
  }
  if (best == nullptr) return;
  a.advice = "With none of these are fewer than one in a thousand turned away or late; listen(" +
             std::to_string(best->backlog) + ") fails the fewest in the end, " +
             share_text(best->simulated.beyond.value) + ".";
  if (a.load >= 1) {
    a.advice += " What helps: more than " + digits(p.rate / (1 - p.stall_share()), 4) + " accepts a second";
    a.advice += p.q.people.stall > 0 ? ", or shorter stalls." : ".";
  } else if (!a.remedy.empty()) {
    a.advice += " What helps: " + a.remedy;
  } else if (a.with_margin > most_backlog(p)) {
    a.advice += " What helps: net.core.somaxconn of " + whole(a.with_margin) + " at least.";
  }
}

std::string not_in(const char* what, const std::string& range) { return std::string(what) + ": allowed are " + range; }

}  // namespace

std::string time_text(double us) {
  if (us < 1e3) return us < 1 ? "0" : (us < 99.5 ? digits(us, 2) : whole(us)) + " us";
  if (us < 1e4) return digits(us / 1e3, 2) + " ms";
  if (us < 9.995e5) return whole(us / 1e3) + " ms";
  return digits(us / 1e6, us < 1e7 ? 2 : us < 1e8 ? 3 : 6) + " s";
}

std::string share_text(double share) {
  if (share < 1e-9) return "0";
  if (share < 1e-5) return "<0.001 %";
  if (share >= 0.995) return whole(100 * share) + " %";
  return digits(100 * share, share >= 0.1 ? 3 : 2) + " %";
}

std::string objection(const question& q) {
  const crowd& c = q.people;
  if (q.preset == nullptr) return not_in("preset", lab::preset_names());
  if (!(c.rate >= 0.01 && c.rate <= 200'000)) return not_in("rate", "0.01..200000 clients a second");
  if (!(c.service >= 0 && c.service <= 1'000'000)) return not_in("service", "0.01..1000000 accepts a second");
  if (c.service > 0 && c.service < 0.01) return not_in("service", "0.01..1000000 accepts a second");
  if (c.burst < 1 || c.burst > 10'000) return not_in("burst", "1..10000 clients");
  if (!(c.never_ack >= 0 && c.never_ack <= 0.999)) return not_in("never_ack", "0..0.999");
  if (c.rtt < 0 || c.rtt > 10 * second) return not_in("rtt", "0..10 s");
  if (c.deadline < millisecond || c.deadline > 120 * second) return not_in("deadline", "1 ms..120 s");
  if (c.every < millisecond || c.every > 3600 * second) return not_in("every", "1 ms..3600 s");
  if (c.stall < 0 || c.stall >= c.every) return not_in("stall", "0 and more, less than the time from one to the next");
  if (q.clients < 1000 || q.clients > 5'000'000) return not_in("clients", "1000..5000000");
  if (q.backlogs.size() > most_rows) return not_in("backlogs", "eight at most");
  for (const int n : q.backlogs) {
    if (n < 0 || n > 1'000'000) return not_in("backlogs", "0..1000000");
  }
  const planned p(q);
  const std::size_t rows = q.backlogs.empty() ? usual_backlogs(p).size() : q.backlogs.size();
  if (too_many(p, rows)) {
    return "clients: " + std::to_string(q.clients) + " are too few; one period and one deadline hold " +
           whole(most_clients(p, rows)) + " for each of " + std::to_string(rows) +
           " backlogs. Allow more, ask for fewer backlogs, or for stalls that come more often";
  }
  return {};
}

answer answer_to(question q) {
  if (q.backlogs.empty()) q.backlogs = usual_backlogs(planned(q));
  const planned p(std::move(q));
  answer a;
  judge_window(a, p);
  judge_load(a, p);
  for (const int n : p.q.backlogs) a.rows.push_back(closed_row(p, n));
  judge_requests(a, p);
  for (row& r : a.rows) {
    simulate(r, p, a.rows.size());
    a.clients += r.simulated.clients;
  }
  judge_rows(a, p);
  advise(a, p);
  return a;
}

}  // namespace calculator
