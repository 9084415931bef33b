// SPDX-License-Identifier: BSL-1.0
// The run: a script played against a listener and its model, with clients that remember what they were answered. After
// every command the listener is compared with the model, and the invariants and the ledger are asked; a copy taken at a
// `fork` must go on alike, a second run must do the same, and close must leave nothing.
//
//   const auto wrong = run_against_model<my_listener>(random_script(seed));     // nothing: all is well
//
// It neither makes scripts (command.hpp, or a generator of yours) nor shortens them (shrink.hpp).
#pragma once

#include <functional>
#include <listenq/testing/model/command.hpp>
#include <listenq/testing/model/failure.hpp>
#include <listenq/testing/model/rules_of.hpp>
#include <listenq/testing/model/subject.hpp>
#include <listenq/testing/model/trial.hpp>
#include <memory>
#include <optional>

namespace listenq::testing {

/// Makes a listener, the same each time.
using subject_maker = std::function<std::unique_ptr<subject>()>;

/// Plays `s` against a listener and its model: once with a copy that lives along from the first `fork` on, and once
/// more. What is wrong, or nothing.
inline std::optional<failure> run_against_model(const script& s, const rules& promised, const subject_maker& make,
                                                const std::function<void(verdict)>& on_verdict = {}) {
  const auto play = [&](trial& t, bool forks) {
    std::unique_ptr<trial> copy;
    t.start(s.backlog);
    for (const command& c : s.commands) {
      if (forks && c.what == op::fork && !copy) {
        copy = std::make_unique<trial>(t);
        if (!copy->has_listener()) copy.reset();
      }
      if (!t.play(c)) return;
      if (copy) copy->play(c);
    }
    const bool at_once = s.commands.size() % 2 == 0;
    t.finish(at_once);
    if (!copy || t.wrong()) return;
    if (!copy->finish(at_once) || copy->fingerprint() != t.fingerprint()) {
      t.fail("a copy of the listener", "what the original does", "something else");
    }
  };
  trial first{make(), promised};
  first.on_verdict = on_verdict;
  play(first, true);
  if (first.wrong()) return first.wrong();
  trial second{make(), promised};
  play(second, false);
  if (!second.wrong() && second.fingerprint() != first.fingerprint()) {
    second.fail("the same script once more", "the same", "something else");
  }
  return second.wrong();
}

/// The same for a listener of type `L` that needs no values; the rules are those of its policies unless given.
template <class L>
std::optional<failure> run_against_model(const script& s, const rules& promised) {
  return run_against_model(s, promised, [] { return std::make_unique<subject_of<L>>(); });
}
template <class L>
std::optional<failure> run_against_model(const script& s) {
  return run_against_model<L>(s, rules_of<L>());
}

}  // namespace listenq::testing
