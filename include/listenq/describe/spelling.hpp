// SPDX-License-Identifier: BSL-1.0
// How policies are spelled: as they would be written in C++, with their arguments. One specialization for each template
// among them, in the order of the slots; what has no arguments, and a policy of a stranger's, goes by its name.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <listenq/composition.hpp>
#include <string>
#include <type_traits>

namespace listenq::detail {

inline std::string in_brackets(const char* name, std::initializer_list<std::string> arguments) {
  std::string s = name;
  const char* separator = "<";
  for (const std::string& a : arguments) {
    s += separator;
    s += a;
    separator = ", ";
  }
  return s + (arguments.size() == 0 ? "<>" : ">");
}
inline std::string number(auto n) { return std::to_string(n); }

template <auto Bound>
std::string bound_text() {
  if constexpr (std::same_as<std::remove_cv_t<decltype(Bound)>, tunable>) {
    return std::string("tunable::") + name_of(Bound);
  } else {
    return number(Bound);
  }
}
inline std::string era_text(linux_era e) {
  const char* const names[] = {"linux_era::v2_6_32", "linux_era::v3_12", "linux_era::v4_4", "linux_era::v6_18"};
  return names[static_cast<int>(e)];
}

/// The name of a type as the compiler spells it, without its namespace: "mine", "mine<3>".
template <class P>
std::string name_of_type() {
  const std::string f = __PRETTY_FUNCTION__;  // "... [with P = users::mine<3>; ...]", "... [P = users::mine<3>]"
  const std::size_t from = f.find("P = ") + 4;
  const std::string whole = f.substr(from, f.find_first_of(";]", from) - from);
  const std::size_t colons = whole.rfind("::", whole.find('<'));
  return colons == std::string::npos ? whole : whole.substr(colons + 2);
}

/// How a policy is written; by its name unless it has arguments. Whoever writes one for himself may do without.
template <class P>
struct spelling {
  static std::string text() {
    if constexpr (requires { std::string{P::name}; }) {
      return P::name;
    } else {
      return name_of_type<P>();
    }
  }
};
template <class P>
std::string spell() {
  return spelling<P>::text();
}

template <auto B>
struct spelling<at_most<B>> {
  static std::string text() { return in_brackets("at_most", {bound_text<B>()}); }
};
template <auto B>
struct spelling<at_least<B>> {
  static std::string text() { return in_brackets("at_least", {bound_text<B>()}); }
};
template <auto V>
struct spelling<exactly<V>> {
  static std::string text() { return in_brackets("exactly", {bound_text<V>()}); }
};
template <std::uint32_t N>
struct spelling<plus<N>> {
  static std::string text() { return in_brackets("plus", {number(N)}); }
};
template <std::uint32_t N, std::uint32_t D>
struct spelling<times<N, D>> {
  static std::string text() { return in_brackets("times", {number(N), number(D)}); }
};
template <class... Steps>
struct spelling<pipeline<Steps...>> {
  static std::string text() { return in_brackets("pipeline", {spell<Steps>()...}); }
};
template <class P>
struct spelling<sized_once<P>> {
  static std::string text() { return in_brackets("sized_once", {spell<P>()}); }
};
template <class Bound, counted What>
struct spelling<over<Bound, What>> {
  static std::string text() {
    return What == counted::accept_queue ? in_brackets("over", {spell<Bound>()})
                                         : in_brackets("over", {spell<Bound>(), "counted::both_queues"});
  }
};
template <class Bound, counted What>
struct spelling<reached<Bound, What>> {
  static std::string text() {
    return What == counted::accept_queue ? in_brackets("reached", {spell<Bound>()})
                                         : in_brackets("reached", {spell<Bound>(), "counted::both_queues"});
  }
};
template <duration I, auto R, duration C>
struct spelling<doubling<I, R, C>> {
  static std::string text() { return in_brackets("doubling", {number(I), bound_text<R>(), number(C)}); }
};
template <duration L>
struct spelling<fixed_lifetime<L>> {
  static std::string text() { return in_brackets("fixed_lifetime", {number(L)}); }
};
template <duration... W>
struct spelling<listed<W...>> {
  static std::string text() { return in_brackets("listed", {number(W)...}); }
};
template <tie_order T>
struct spelling<exact<T>> {
  static std::string text() {
    return in_brackets("exact", {T == tie_order::newest_first ? "tie_order::newest_first" : "tie_order::oldest_first"});
  }
};
template <duration P>
struct spelling<sweep<P>> {
  static std::string text() { return in_brackets("sweep", {number(P)}); }
};
template <class... Gates>
struct spelling<in_order<Gates...>> {
  static std::string text() { return in_brackets("in_order", {"gates::" + spell<Gates>()...}); }
};
template <std::uint8_t R>
struct spelling<second_error_after<R>> {
  static std::string text() { return in_brackets("second_error_after", {number(R)}); }
};
template <unsigned B>
struct spelling<low_bits<B>> {
  static std::string text() { return in_brackets("low_bits", {number(B)}); }
};
template <std::uint32_t N, class B>
struct spelling<never_below<N, B>> {
  static std::string text() { return in_brackets("never_below", {number(N), spell<B>()}); }
};
template <std::uint32_t M, std::uint32_t O>
struct spelling<up_to<M, O>> {
  static std::string text() { return in_brackets("up_to", {number(M), number(O)}); }
};
template <std::uint32_t U>
struct spelling<reseeded<U>> {
  static std::string text() { return in_brackets("reseeded", {number(U)}); }
};
template <std::uint32_t B, std::uint32_t D, std::uint32_t L, class S>
struct spelling<syncache<B, D, L, S>> {
  static std::string text() {
    return std::same_as<S, seeded_once> ? in_brackets("syncache", {number(B), number(D), number(L)})
                                        : in_brackets("syncache", {number(B), number(D), number(L), spell<S>()});
  }
};
template <class W>
struct spelling<gates::accept_queue_by<W>> {
  static std::string text() { return in_brackets("accept_queue_by", {spell<W>()}); }
};
template <std::uint32_t N, std::uint32_t D>
struct spelling<drop_if_young_above<N, D>> {
  static std::string text() { return in_brackets("drop_if_young_above", {number(N), number(D)}); }
};
template <class P>
struct spelling<told<P>> {
  static std::string text() { return in_brackets("told", {spell<P>()}); }
};
template <unsigned V4, unsigned V6, class Share, std::uint32_t Width, std::uint32_t Rows>
struct spelling<per_prefix<V4, V6, Share, Width, Rows>> {
  static std::string text() {
    return in_brackets("per_prefix", {number(V4), number(V6), spell<Share>(), number(Width), number(Rows)});
  }
};
template <class Pool>
struct spelling<shared_budget<Pool>> {
  static std::string text() { return in_brackets("shared_budget", {"slot_pool<...>"}); }
};
template <class... B>
struct spelling<every<B...>> {
  static std::string text() { return in_brackets("every", {spell<B>()...}); }
};
template <std::uint32_t N>
struct spelling<drop_if_young<N>> {
  static std::string text() { return in_brackets("drop_if_young", {number(N)}); }
};
template <duration L, duration S>
struct spelling<after_cookie<L, S>> {
  static std::string text() {
    return S == 0 ? in_brackets("after_cookie", {number(L)}) : in_brackets("after_cookie", {number(L), number(S)});
  }
};
template <duration L>
struct spelling<after_bucket_overflow<L>> {
  static std::string text() { return in_brackets("after_bucket_overflow", {number(L)}); }
};
template <duration O>
struct spelling<rotated<O>> {
  static std::string text() { return in_brackets("rotated", {number(O)}); }
};
template <duration P>
struct spelling<derived_keys<P>> {
  static std::string text() { return in_brackets("derived_keys", {number(P)}); }
};
template <std::uint32_t A>
struct spelling<bernstein_cookie<A>> {
  static std::string text() { return in_brackets("bernstein_cookie", {number(A)}); }
};
template <std::uint16_t M>
struct spelling<onload_cookie<M>> {
  static std::string text() { return in_brackets("onload_cookie", {number(M)}); }
};
/// The codec; keys and window only where they are not the codec's own.
template <template <class, class, class> class P, class C, class K, class W>
requires std::derived_from<P<C, K, W>, cookie_issuer<C, K, W>>
struct spelling<P<C, K, W>> {
  static std::string text() {
    const char* name = P<C, K, W>::name;
    if (!std::same_as<W, typename C::window>) return in_brackets(name, {spell<C>(), spell<K>(), spell<W>()});
    if (!std::same_as<K, typename C::keys>) return in_brackets(name, {spell<C>(), spell<K>()});
    return in_brackets(name, {spell<C>()});
  }
};
template <class P, duration F, unsigned D>
struct spelling<pausing<P, F, D>> {
  static std::string text() {
    return std::same_as<pausing<P, F, D>, pausing<P>> ? in_brackets("pausing", {spell<P>()})
                                                      : in_brackets("pausing", {spell<P>(), number(F), number(D)});
  }
};
template <linux_era E>
struct spelling<linux_validation<E>> {
  static std::string text() { return in_brackets("linux_validation", {era_text(E)}); }
};
template <class P>
struct spelling<repeats_syn_ack<P>> {
  static std::string text() { return in_brackets("repeats_syn_ack", {spell<P>()}); }
};
template <class P>
struct spelling<takes_any_rst<P>> {
  static std::string text() { return in_brackets("takes_any_rst", {spell<P>()}); }
};
template <class P>
struct spelling<blind_to_sequence<P>> {
  static std::string text() { return in_brackets("blind_to_sequence", {spell<P>()}); }
};
template <linux_era E>
struct spelling<linux_icmp<E>> {
  static std::string text() { return in_brackets("linux_icmp", {era_text(E)}); }
};
template <linux_era E>
struct spelling<linux_counters<E>> {
  static std::string text() { return in_brackets("linux_counters", {era_text(E)}); }
};
template <class C>
struct spelling<by_cause<C>> {
  static std::string text() { return in_brackets("by_cause", {spell<C>()}); }
};
template <duration I, duration C>
struct spelling<defer_accept<I, C>> {
  static std::string text() { return in_brackets("defer_accept", {number(I), number(C)}); }
};
template <linux_era E, std::uint32_t N>
struct spelling<linux_fast_open<E, N>> {
  static std::string text() { return in_brackets("linux_fast_open", {era_text(E), number(N)}); }
};
template <int C, int D>
struct spelling<siphash<C, D>> {
  static std::string text() { return in_brackets("siphash", {number(C), number(D)}); }
};
template <seq_number V>
struct spelling<fixed_isn<V>> {
  static std::string text() { return in_brackets("fixed_isn", {number(V)}); }
};
template <class B>
struct spelling<tagged<B>> {
  static std::string text() { return in_brackets("tagged", {spell<B>()}); }
};
template <std::size_t R, std::size_t C>
struct spelling<fixed<R, C>> {
  static std::string text() { return in_brackets("fixed", {number(R), number(C)}); }
};
template <class Pool>
struct spelling<borrowed<Pool>> {
  static std::string text() { return in_brackets("borrowed", {"shared_requests<...>"}); }
};
template <std::size_t N, class P>
struct spelling<capped<N, P>> {
  static std::string text() { return in_brackets("capped", {number(N), spell<P>()}); }
};
template <>
struct spelling<handles<>> {
  static std::string text() { return "handles<>"; }
};
template <tunable T, std::uint32_t V>
struct spelling<tuned<T, V>> {
  static std::string text() { return in_brackets("tuned", {bound_text<T>(), number(V)}); }
};
template <class... T>
struct spelling<defaults<T...>> {
  static std::string text() { return in_brackets("defaults", {spell<T>()...}); }
};

}  // namespace listenq::detail
