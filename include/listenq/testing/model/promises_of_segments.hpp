// SPDX-License-Identifier: BSL-1.0
// What the policies promise that judge segments, number them, count them: validation, deferral, ISN, offer, ICMP,
// counters. From the kernels' sources and the RFCs; part of rules_of.hpp.
#pragma once

#include <listenq/testing/model/rules_of.hpp>

namespace listenq::testing {

// --- validation ---

template <linux_era Era>
struct promise<linux_validation<Era>> {
  static void of(rules& r) {
    r.judge = judged_by_linux(Era);
    r.at_listener = answered_by_linux(Era);
    if (Era != linux_era::v2_6_32) r.duplicate.restarts = restart::timer;
    if (Era == linux_era::v4_4 || Era == linux_era::v6_18) r.rate_limit = 500 * millisecond;
    r.late_timestamps = Era != linux_era::v6_18;
    r.checks_echo = Era == linux_era::v6_18;
    r.tries_cookie = Era == linux_era::v6_18;
    r.echoes_zero = false;
  }
};
template <>
struct promise<freebsd_validation> {
  static void of(rules& r) {
    r.judge = judged_by_freebsd(false);
    r.at_listener = answered_by_freebsd;
    r.duplicate = {restart::schedule, echo_rule::refresh_or_drop, true, true};
  }
};
template <>
struct promise<freebsd_main_validation> {
  static void of(rules& r) {
    promise<freebsd_validation>::of(r);
    r.judge = judged_by_freebsd(true);
    r.at_listener = [](flags f) {
      return f.has(flag::syn | flag::ack) ? listener_answer::ignore : answered_by_freebsd(f);
    };
  }
};
template <>
struct promise<netbsd_validation> {
  static void of(rules& r) {
    r.judge = judged_by_netbsd;
    r.at_listener = answered_by_netbsd;
    r.duplicate.echo = echo_rule::refresh;
  }
};
template <>
struct promise<openbsd_validation> : promise<netbsd_validation> {};
template <>
struct promise<rfc793_validation> {
  static void of(rules& r) {
    r.judge = judged_by_rfc793;
    r.at_listener = answered_by_rfc;
  }
};
template <>
struct promise<rfc9293_validation> {
  static void of(rules& r) {
    r.judge = judged_by_rfc9293(false);
    r.at_listener = answered_by_rfc;
    r.rate_limit = 500 * millisecond;
  }
};
template <>
struct promise<rfc5961_validation> {
  static void of(rules& r) {
    promise<rfc9293_validation>::of(r);
    r.judge = judged_by_rfc9293(true);
  }
};
template <>
struct promise<lwip_validation> {
  static void of(rules& r) {
    r.judge = judged_by_lwip;
    r.at_listener = answered_by_rfc;
  }
};
template <class P>
struct promise<repeats_syn_ack<P>> {
  static void of(rules& r) {
    promise<P>::of(r);
    r.judge = [base = r.judge](const meeting& m) {
      return m.is_the_isn() && m.only_syn() ? request_answer::resend : base(m);
    };
  }
};
template <class P>
struct promise<takes_any_rst<P>> {
  static void of(rules& r) {
    promise<P>::of(r);
    r.judge = [base = r.judge](const meeting& m) {
      return m.is(flag::rst) && m.starts_inside() ? request_answer::forget : base(m);
    };
  }
};
template <class P>
struct promise<blind_to_sequence<P>> {
  static void of(rules& r) {
    promise<P>::of(r);
    r.judge = [base = r.judge](meeting m) {
      m.blind = true;
      return base(m);
    };
  }
};

// --- deferral ---

template <>
struct promise<no_deferral> {
  static void of(rules&) {}
};
template <>
struct promise<await_data> {
  static void of(rules& r) { r.deferral = deferral_rule::await_data; }
};
template <duration Initial, duration Cap>
struct promise<defer_accept<Initial, Cap>> {
  static_assert(Cap == 120 * second, "listenq::testing: the model knows Linux's cap of 120 s.");
  static void of(rules& r) {
    r.deferral = deferral_rule::defer_accept;
    r.defer_unit = Initial;
  }
};

// --- numbers ---

template <>
struct promise<rfc6528> {
  static void of(rules&) {}
};
template <seq_number Value>
struct promise<fixed_isn<Value>> {
  static void of(rules& r) { r.fixed_isn = Value; }
};
/// An offer is numbers: it promises what it says.
template <offer_policy Offer>
struct promise_at<slot::offer, Offer> {
  static void of(rules& r) {
    r.offer = {.mss = Offer::mss,
               .window = Offer::window,
               .window_with_timestamps = Offer::window_with_timestamps,
               .window_scale = Offer::window_scale,
               .sack = Offer::sack,
               .ecn = Offer::ecn,
               .keyed_clock = Offer::keyed_clock};
    if constexpr (requires { Offer::least_mss; }) r.offer.least_mss = Offer::least_mss;
  }
};

// --- ICMP ---

/// To 4.3 every error; since then the passing ones over IPv4, the fatal ones over IPv6 (tcp_v4_err, tcp_v6_err).
template <linux_era Era>
struct promise<linux_icmp<Era>> {
  static void of(rules& r) {
    r.icmp = [](const icmp_facts& f) {
      using enum icmp_error;
      if (f.error == other) return icmp_answer::ignore;
      if (Era == linux_era::v2_6_32 || Era == linux_era::v3_12) return icmp_answer::end;
      const bool passes = f.error == network_unreachable || f.error == host_unreachable || f.error == time_exceeded;
      const bool ends = f.error == parameter_problem || (f.ipv6 ? !passes : passes);
      return ends ? icmp_answer::end : icmp_answer::ignore;
    };
  }
};
template <std::uint8_t Retries>
struct promise<second_error_after<Retries>> {
  static void of(rules& r) {
    r.icmp = [](const icmp_facts& f) {
      if (f.error == icmp_error::other) return icmp_answer::ignore;
      return f.noted && f.retries >= Retries ? icmp_answer::end : icmp_answer::note;
    };
  }
};
template <>
struct promise<icmp_ignored> {
  static void of(rules&) {}
};

// --- counters ---

template <>
struct promise<no_counters> {
  static void of(rules& r) { r.counts = counting::nothing; }
};
template <linux_era Era>
struct promise<linux_counters<Era>> {
  static void of(rules& r) {
    r.counts = Era == linux_era::v2_6_32 ? counting::linux_2_6_32
               : Era == linux_era::v3_12 ? counting::linux_3_12
               : Era == linux_era::v4_4  ? counting::linux_4_4
                                         : counting::linux_6_18;
  }
};
template <>
struct promise<freebsd_counters> {
  static void of(rules& r) { r.counts = counting::freebsd; }
};
template <>
struct promise<netbsd_counters> {
  static void of(rules& r) { r.counts = counting::netbsd; }
};
template <>
struct promise<openbsd_counters> {
  static void of(rules& r) { r.counts = counting::openbsd; }
};
template <>
struct promise<xnu_counters> {
  static void of(rules& r) { r.counts = counting::xnu; }
};

}  // namespace listenq::testing
