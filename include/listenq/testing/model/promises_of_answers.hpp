// SPDX-License-Identifier: BSL-1.0
// What the policies that answer a SYN or a full queue promise: the gates, who makes room, ends. From the
// kernels' sources; part of rules_of.hpp.
#pragma once

#include <listenq/testing/model/rules_of.hpp>

namespace listenq::testing {

// --- admission ---

template <class Gate>
struct gate_promise;
template <>
struct gate_promise<gates::known_request> {
  static gate_rule of() { return {.what = gate_step::known}; }
};
template <>
struct gate_promise<gates::request_queue> {
  static gate_rule of() { return {.what = gate_step::request}; }
};
template <>
struct gate_promise<gates::strict_request_queue> {
  static gate_rule of() { return {.what = gate_step::request, .strict = true}; }
};
template <>
struct gate_promise<gates::accept_queue> {
  static gate_rule of() { return {.what = gate_step::accept}; }
};
template <class Test>
struct gate_promise<gates::accept_queue_by<Test>> {
  static gate_rule of() { return {.what = gate_step::accept, .closed = promise<Test>::full}; }
};
template <>
struct gate_promise<gates::refusal> {
  static gate_rule of() { return {.what = gate_step::refusal}; }
};
template <>
struct gate_promise<gates::last_quarter> {
  static gate_rule of() { return {.what = gate_step::last_quarter}; }
};
template <>
struct gate_promise<gates::budget> {
  static gate_rule of() { return {.what = gate_step::budget}; }
};
template <class... Gates>
struct promise<in_order<Gates...>> {
  static void of(rules& r) { r.gates = {gate_promise<Gates>::of()...}; }
};

// --- who meets a full queue ---

template <class Policy>
struct syn_promise;
template <>
struct syn_promise<admit> {
  static syn_answer_rule of() { return {.what = syn_rule::admit}; }
};
template <>
struct syn_promise<drop> {
  static syn_answer_rule of() { return {.what = syn_rule::drop}; }
};
template <>
struct syn_promise<reset> {
  static syn_answer_rule of() { return {.what = syn_rule::reset}; }
};
template <std::uint32_t Most>
struct syn_promise<drop_if_young<Most>> {
  static syn_answer_rule of() { return {.what = syn_rule::drop_above_young, .most_young = Most}; }
};
template <std::uint32_t Numerator, std::uint32_t Denominator>
struct syn_promise<drop_if_young_above<Numerator, Denominator>> {
  static syn_answer_rule of() {
    return {.what = syn_rule::drop_above_share, .most_young = Numerator, .of = Denominator};
  }
};
template <>
struct syn_promise<evict_oldest> {
  static syn_answer_rule of() { return {.what = syn_rule::evict_oldest}; }
};
template <>
struct syn_promise<evict_random> {
  static syn_answer_rule of() { return {.what = syn_rule::evict_any}; }
};
template <>
struct syn_promise<evict_most_retried> {
  static syn_answer_rule of() { return {.what = syn_rule::evict_most_retried}; }
};
template <>
struct syn_promise<evict_in_bucket> {
  static syn_answer_rule of() { return {.what = syn_rule::evict_in_bucket}; }
};
template <>
struct syn_promise<evict_from_here_on> {
  static syn_answer_rule of() { return {.what = syn_rule::evict_from_here_on}; }
};
template <>
struct syn_promise<drop_and_evict_if_both_full> {
  static syn_answer_rule of() { return {.what = syn_rule::drop_unless_both_full, .tells_if_acked = true}; }
};
template <>
struct syn_promise<evict_oldest_or_random> {
  static syn_answer_rule of() { return {.what = syn_rule::oldest_or_any}; }
};
template <class P>
struct syn_promise<told<P>> {
  static syn_answer_rule of() {
    syn_answer_rule rule = syn_promise<P>::of();
    rule.tells = true;
    return rule;
  }
};
template <class Policy>
requires requires { syn_promise<Policy>::of(); }
struct promise_at<slot::request_full, Policy> {
  static void of(rules& r) { r.request_full = syn_promise<Policy>::of(); }
};
template <class Policy>
requires requires { syn_promise<Policy>::of(); }
struct promise_at<slot::accept_full_at_syn, Policy> {
  static void of(rules& r) { r.accept_full_at_syn = syn_promise<Policy>::of(); }
};

template <>
struct promise_at<slot::accept_full_at_ack, reset> {
  static void of(rules& r) { r.accept_full_at_ack = ack_rule::reset; }
};
template <>
struct promise<keep> {
  static void of(rules& r) { r.accept_full_at_ack = ack_rule::keep; }
};
template <>
struct promise<forget> {
  static void of(rules& r) { r.accept_full_at_ack = ack_rule::forget; }
};
template <>
struct promise<abort_if_tuned> {
  static void of(rules& r) { r.accept_full_at_ack = ack_rule::as_tuned; }
};

// --- ends ---

template <>
struct promise<forget_requests> {
  static void of(rules& r) { r.closing = closing_answer::forget; }
};
template <>
struct promise<leave_to_timer> {
  static void of(rules& r) { r.closing = closing_answer::leave_to_timer; }
};
template <>
struct promise<outlive_listener> {
  static void of(rules& r) { r.closing = closing_answer::outlive; }
};
template <>
struct promise<abort_requests> {
  static void of(rules& r) { r.closing = closing_answer::reset; }
};
template <>
struct promise<fatal> {
  static void of(rules& r) {
    r.failure_ends = [](bool, bool acked) { return !acked; };
  }
};
template <>
struct promise<fatal_when_resent> {
  static void of(rules& r) {
    r.failure_ends = [](bool resent, bool acked) { return resent && !acked; };
  }
};
template <>
struct promise<fatal_at_first> {
  static void of(rules& r) {
    r.failure_ends = [](bool resent, bool) { return !resent; };
  }
};
template <>
struct promise<harmless> {
  static void of(rules& r) {
    r.failure_ends = [](bool, bool) { return false; };
  }
};
template <>
struct promise<returned> {
  static void of(rules& r) { r.reports_aborted = false; }
};
template <>
struct promise<reported> {
  static void of(rules& r) { r.reports_aborted = true; }
};

}  // namespace listenq::testing
