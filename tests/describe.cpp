// SPDX-License-Identifier: BSL-1.0
// describe.hpp: a composition and its limits as text.
#include <doctest/doctest.h>

#include <algorithm>
#include <listenq/describe.hpp>
#include <listenq/mirror.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <string>

using namespace listenq;

namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct nameless {
  static constexpr syn_answer on_request_full(const overflow_facts&) noexcept { return syn_answer::drop; }
};
template <int N>
struct nameless_with_argument : nameless {};

}  // namespace

// A slot that is left out, or the answer of its neighbour.
TEST_CASE("every slot has its line, with its arguments, and what is a default is marked") {
  const std::string text = describe<preset::linux_3_12>();
  CHECK(std::count(text.begin(), text.end(), '\n') == 30);  // 28 slots and the bytes
  CHECK(says(text, "accept_full_at_syn  drop_if_young<1>\n"));
  CHECK(says(text,
             "sizing              sized_once<pipeline<at_most<tunable::max_syn_backlog>, at_least<8>, plus<1>, "
             "roundup_pow_of_two>>\n"));
  CHECK(says(text, "clamp               to_somaxconn   (default)\n"));
  CHECK(says(text, "bytes per request   56\n"));
}

// One changed answer that changes another line, or none.
TEST_CASE("with one answer changed, one line changes") {
  const std::string before = describe<listener<>>();
  std::string after_text = describe<with<listener<>, request_full<reset>>>();
  const std::string line = "request_full        reset\n";
  REQUIRE(says(after_text, line));
  after_text.replace(after_text.find(line), line.size(), "request_full        drop   (default)\n");
  CHECK(after_text == before);
}

// An argument left out: two different compositions would read the same.
TEST_CASE("queues, evictions and budgets are spelled with their arguments") {
  using l = listener<sizing<syncache<293, 105, 10255, reseeded<5>>>, request_full<told<evict_from_here_on>>,
                     clamp<never_below<16, up_to<255, 1>>>, waiting<backlog_16_bits>,
                     admission<in_order<gates::accept_queue_by<exactly_backlog>, gates::budget, gates::known_request,
                                        gates::strict_request_queue>>,
                     budget<every<per_prefix<16, 48, exactly<9>, 128, 2>, shared_budget<>>>,
                     accept_full_at_syn<drop_if_young_above<1, 4>>>;
  const std::string text = describe<l>();
  CHECK(says(text, "sizing              syncache<293, 105, 10255, reseeded<5>>\n"));
  CHECK(says(text, "request_full        told<evict_from_here_on>\n"));
  CHECK(says(text, "clamp               never_below<16, up_to<255, 1>>\n"));
  CHECK(says(text, "waiting             over<pipeline<low_bits<16>>>\n"));
  CHECK(says(text,
             "admission           in_order<gates::accept_queue_by<reached<pipeline<>>>, gates::budget, "
             "gates::known_request, gates::strict_request_queue>\n"));
  CHECK(
      says(text, "budget              every<per_prefix<16, 48, exactly<9>, 128, 2>, shared_budget<slot_pool<...>>>\n"));
  CHECK(says(text, "accept_full_at_syn  drop_if_young_above<1, 4>\n"));
  CHECK(says(to_text(explain<l>(4)), "a SYN       takes the place of the oldest in its bucket or the next\n"));
}

TEST_CASE("validation and child models around others are spelled with what they are around") {
  using l = listener<validation<takes_any_rst<repeats_syn_ack<blind_to_sequence<rfc793_validation>>>>,
                     child<capped<1460>>, deferral<await_data>>;
  const std::string text = describe<l>();
  CHECK(says(text, "takes_any_rst<repeats_syn_ack<blind_to_sequence<rfc793_validation>>>\n"));
  CHECK(says(text, "capped<1460, handles<>>\n"));
  CHECK(says(text, "await_data\n"));
}

// 0.4 s shown as 0.400000, or 31 s as 31.
TEST_CASE("seconds are shown without trailing zeros") {
  CHECK(seconds_text(0) == "0");
  CHECK(seconds_text(400 * millisecond) == "0.4");
  CHECK(seconds_text(31 * second) == "31");
  CHECK(seconds_text(second + microsecond) == "1.000001");
}

// A limit shown under another name.
TEST_CASE("the limits of listen(511) on 3.12 with its defaults") {
  const std::string text = to_text(explain<preset::linux_3_12>(511));
  CHECK(says(text, "listen(511) is taken as           128\n"));
  CHECK(says(text, "connections waiting for accept()  129\n"));
  CHECK(says(text, "when they are full, admitted    2 young requests\n"));
  CHECK(says(text, "requests (SYN_RECV)               256\n"));
  CHECK(says(text, "when they are full, a SYN       gets a cookie\n"));
  CHECK(says(text, "SYN-ACKs at                       0, 1, 3, 7, 15, 31 s (each up to 0.4 s late)\n"));
  CHECK(says(to_text(explain<listener<request_full<reset>>>(4)), "a SYN       gets a RST\n"));
  CHECK(says(to_text(explain<preset::linux_3_12>(511, {{tunable::syncookies, 0}})), "a SYN       is dropped\n"));
  using beside = listener<cookies<in_every_iss<freebsd_13_cookie, static_key, any_time>>, request_full<evict_oldest>>;
  CHECK(says(to_text(explain<beside>(4)), "a SYN       takes the oldest one's place\n"));
}

// A codec's own keys and window would be noise; others must be seen.
TEST_CASE("cookies are spelled by their codec, and by what is not the codec's own") {
  CHECK(says(describe<preset::linux_3_12>(), "cookies_if_tuned<linux_3_12_cookie>"));
  CHECK(says(describe<listener<cookies<always<linux_6_18_cookie, rotated<5>>>>>(),
             "always<linux_6_18_cookie, rotated<5>>"));
  CHECK(says(describe<listener<cookies<always<bernstein_cookie<3>, static_key, after_cookie<7>>>>>(),
             "always<bernstein_cookie<3>, static_key, after_cookie<7>>"));
  CHECK(says(describe<listener<cookies<pausing<in_every_iss<freebsd_13_cookie>>>, sizing<syncache<4, 3>>>>(),
             "pausing<in_every_iss<freebsd_13_cookie>>"));
}

// A policy of a user's own that does not say its name: an error in the middle of the library, or an empty line.
TEST_CASE("a policy without a name is spelled as its type") {
  CHECK(says(describe<listener<request_full<nameless>>>(), "request_full        nameless\n"));
  CHECK(says(describe<listener<request_full<nameless_with_argument<3>>>>(),
             "request_full        nameless_with_argument<3>\n"));
}
