// Is my policy what I promise it to be? Three lines ask: the rules of a policy that it is to be like, a model that
// obeys them, random scripts against both. Here is one with a slip of the pen, and what is found: the shortest way to
// show it.
#include <cstdio>
#include <listenq/listenq.hpp>
#include <listenq/testing/model/find.hpp>

using namespace listenq;

/// Linux 3.12's rule for a SYN that finds the accept queue full: dropped if more than one request is young. More than
/// one, the kernel says; this says one or more.
struct drop_if_one_is_young {
  static constexpr const char* name = "drop_if_one_is_young";
  static constexpr syn_answer on_accept_full(const overflow_facts& f) noexcept {
    return f.young >= 1 ? syn_answer::drop : syn_answer::admit;
  }
};

/// The rest as in Linux 3.12, as far as it matters here: sixteen requests fit, however small the backlog is.
using server =
    listener<sizing<pipeline<at_least<8>, plus<1>, roundup_pow_of_two>>, accept_full_at_syn<drop_if_one_is_young>>;

/// What the policy is supposed to be: the model takes its rule from there.
template <>
struct listenq::testing::promise_at<slot::accept_full_at_syn, drop_if_one_is_young>
    : promise_at<slot::accept_full_at_syn, drop_if_young<1>> {};

int main() {
  const auto found = testing::find_counterexample<server>(testing::rules_of<server>("my server"));
  std::puts(found ? found->text().c_str() : "nothing found");
  return found && found->script.commands.size() == 4 ? 0 : 1;
}
