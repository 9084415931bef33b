// SPDX-License-Identifier: BSL-1.0
// describe: a composition as text: the answer to every slot, spelled as it would be written in C++, and what differs
// from the defaults; and what a listener did, by cause. Opt-in, because text costs <string>. The limits for a backlog
// are `explain`'s and its `to_text`.
#pragma once

#include <listenq/describe/spelling.hpp>
#include <listenq/explain.hpp>
#include <listenq/listener.hpp>
#include <string>

namespace listenq {

namespace detail {

template <class List, class Defaults>
struct describer;
template <class... Keywords, class... Defaults>
struct describer<keyword_list<Keywords...>, keyword_list<Defaults...>> {
  template <class Keyword, class Default>
  static void line(std::string& text) {
    std::string start = Keyword::slot::name;
    start.resize(20, ' ');
    text += start + spell<typename Keyword::policy>();
    if constexpr (std::same_as<Keyword, Default>) text += "   (default)";
    text += '\n';
  }
  static std::string text() {
    std::string t;
    (line<Keywords, Defaults>(t), ...);
    return t;
  }
};

}  // namespace detail

/// One line for each slot, then the bytes that a request costs.
template <class L>
std::string describe() {
  return detail::describer<detail::keywords_of<L>, detail::keywords_of<listener<>>>::text() + "bytes per request   " +
         std::to_string(L::bytes_per_request) + '\n';
}
template <class L>
std::string describe(const L&) {
  return describe<L>();
}

namespace detail {

/// The policy that a composition has for a slot, by the slot's keyword.
template <class... Keywords>
std::string policy_text(keyword_list<Keywords...>, const std::string& slot) {
  std::string text;
  const auto try_one = [&]<class K>(std::type_identity<K>) {
    if (slot == K::slot::name) text = slot + '<' + spell<typename K::policy>() + '>';
  };
  (try_one(std::type_identity<Keywords>{}), ...);
  return text;
}

/// The counters that are not 0: "ListenOverflows 2, ListenDrops 2".
template <class Counters>
std::string counts_text(const Counters& c) {
  std::string text;
  for (const auto& n : Counters::names) {
    if (c.values().*n.value == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string{n.name} + ' ' + std::to_string(c.values().*n.value);
  }
  return text;
}

}  // namespace detail

/// The answer of `L` that a cause names: "accept_full_at_syn<drop_if_young<1>>"; empty if it names none.
template <class L>
std::string rule_text(const cause& c) {
  return detail::policy_text(detail::keywords_of<L>{}, c.slot);
}

/// What happened and why, as one line for each cause that there was: how often, the verdict, why, the answer of `L`
/// that made it so, and the counters that it moved.
template <class L, class Counters>
std::string to_text(const by_cause<Counters>& books) {
  std::string t;
  for (std::size_t i = 0; i < cause_count; ++i) {
    if (books.rows[i].times == 0) continue;
    std::string line = std::to_string(books.rows[i].times);
    line.insert(0, line.size() < 8 ? 8 - line.size() : 0, ' ').append("  ").append(name_of(causes[i]));
    line.resize(line.size() < 32 ? 32 : line.size() + 1, ' ');
    t.append(line).append(causes[i].why);
    const std::string rule = rule_text<L>(causes[i]);
    if (!rule.empty()) t.append("; ").append(rule);
    const std::string counted = detail::counts_text(books.rows[i].counters);
    if (!counted.empty()) t.append(": ").append(counted);
    t += '\n';
  }
  return t;
}
template <class L, class Counters>
std::string to_text(const by_cause<Counters>& books, const L&) {
  return to_text<L>(books);
}

namespace detail {
/// What happens to a SYN, as the end of a sentence.
inline const char* answer_text(syn_answer a) {
  switch (a) {
    case syn_answer::admit:
      return "is admitted";
    case syn_answer::drop:
      return "is dropped";
    case syn_answer::reset:
      return "gets a RST";
    case syn_answer::evict_oldest:
      return "takes the oldest one's place";
    case syn_answer::evict_random:
      return "takes the place of any one";
    case syn_answer::evict_random_or_none:
      return "takes the place of any one, or is dropped";
    case syn_answer::evict_most_retried:
      return "takes the place of the most retried one";
    case syn_answer::drop_and_evict_most_retried:
      return "is dropped, and the most retried one with it";
    case syn_answer::evict_in_bucket:
      return "takes the place of the oldest in its bucket";
    case syn_answer::evict_from_here_on:
      return "takes the place of the oldest in its bucket or the next";
  }
  return "";
}
}  // namespace detail

/// Seconds without trailing zeros: 3, 0.2, 31.
inline std::string seconds_text(duration d) {
  std::string s = std::to_string(d / second);
  std::string fraction = std::to_string(d % second + second).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? s : s + '.' + fraction;
}

/// An explanation in a dozen lines.
inline std::string to_text(const explanation& e) {
  const auto count = [](std::uint32_t n) { return std::to_string(n); };
  std::string t;
  const auto line = [&t](std::string name, const std::string& value) {
    name.resize(34, ' ');
    t += name + value + '\n';
  };
  line("listen(" + std::to_string(e.requested) + ") is taken as", count(e.backlog));
  line("connections waiting for accept()", count(e.accept_slots));
  line("  when they are full, admitted", !e.young_when_full        ? "every SYN"
                                         : *e.young_when_full == 0 ? "nobody"
                                                                   : count(*e.young_when_full) + " young requests");
  line("requests (SYN_RECV)", count(e.request_slots));
  if (e.unproven_slots < e.request_slots) line("  of these for unknown peers", count(e.unproven_slots));
  line("  when they are full, a SYN", e.cookies == cookie_mode::under_pressure || e.cookies == cookie_mode::always
                                          ? "gets a cookie"
                                          : detail::answer_text(e.when_full));
  if (e.buckets > 0) line("hash buckets", count(e.buckets));
  line("pruning starts at", e.pruning_from ? count(*e.pruning_from) + " requests" : "never");
  std::string times;
  for (std::size_t i = 0; i < e.syn_acks(); ++i) times += (i == 0 ? "" : ", ") + seconds_text(e.syn_ack_at[i]);
  line("SYN-ACKs at", times + " s" + (e.late_by > 0 ? " (each up to " + seconds_text(e.late_by) + " s late)" : ""));
  line("a request dies at", seconds_text(e.dies_at) + " s, under pressure at " + seconds_text(e.pruned_at) + " s");
  return t;
}

}  // namespace listenq
