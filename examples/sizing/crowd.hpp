// SPDX-License-Identifier: BSL-1.0
// A crowd before a listener: clients that arrive in bursts, repeat their SYN and give up at a deadline; an application
// that accepts one at a time and stalls now and then; and a listener of any composition between them, in virtual time.
// What closed_forms.hpp computes, this counts. It knows one link: no loss, half the round trip each way.
//
// A client is Linux's: it ACKs, says its first bytes at once and repeats them (from RTT + 200 ms, doubling) until
// somebody has them, also when its program has given up; so a connection whose final ACK was ignored can still get in.
// One that gave up before it was connected resets what comes then. The same arguments give the same run, to the bit, on
// every machine.
#pragma once

#include <cstdint>
#include <listenq/stream/profile.hpp>
#include <listenq/testing/any_listener.hpp>
#include <vector>

namespace calculator {

using listenq::duration;
using listenq::instant;

/// How a time around its mean is drawn.
enum class law : std::uint8_t { exponential, fixed };

/// Who comes, and what the application does. Times are microseconds.
struct crowd {
  double rate = 100;                 ///< clients a second, the silent ones among them; more than 0
  std::uint32_t burst = 1;           ///< so many arrive together; bursts are Poisson
  double never_ack = 0;              ///< the share that sends one SYN and is never heard of again; below 1
  duration rtt = 50'000;             ///< of the link
  duration ack_after = 0;            ///< mean time from the SYN-ACK's arrival to the ACK
  law ack_law = law::fixed;          ///< of that time
  duration deadline = 3'000'000;     ///< after which a client's program gives up; more than 0
  bool retransmit = true;            ///< false: a client says everything once
  double service = 0;                ///< accepts a second, exponential; 0: each at once
  duration stall = 0;                ///< the application sleeps that long, once in every period; less than `every`
  duration every = 10'000'000;       ///< the period
  listenq::kernel_profile kernel{};  ///< of the clients: when a SYN is repeated
  std::uint64_t clients = 10'000;    ///< so many are counted, about; with stalls it is whole periods, one at least
  duration settle = 0;               ///< so long nobody is counted, at least: a queue that fills slowly
  std::uint64_t seed = 1;
};

/// A share of the clients, or a mean over them, and half of its 95 % interval (batch means, Student's t).
struct estimate {
  double value = 0;
  double plus_minus = -1;  ///< below 0: there was only one batch
};

/// What became of the counted clients; the silent ones are not among them.
struct crowd_report {
  std::uint64_t clients = 0;
  estimate turned_away{};           ///< their first SYN or their first final ACK was not taken
  estimate beyond{};                ///< not accepted by their deadline, refused ones among them
  estimate wait{};                  ///< of those accepted by then: connect() to accept() less 1.5 RTT, microseconds
  double stranded = 0;              ///< share whose first final ACK was ignored: they believe that they are connected
  double late = 0;                  ///< share that was accepted after it had given up
  double refused = 0;               ///< share that got a RST
  std::vector<double> steps{};      ///< share that sent its 2nd, 3rd... SYN before the deadline
  std::vector<duration> waits{};    ///< of those accepted by their deadline, in ascending order
  std::uint32_t most_waiting = 0;   ///< in the accept queue
  std::uint32_t most_requests = 0;  ///< in the request queue
  std::uint64_t periods = 0;        ///< that were counted, each with its stall

  /// The wait that this share of all clients exceeds, microseconds; -1 if it is that of those who gave up.
  duration wait_exceeded_by(double share) const;
};

/// Plays it. `server` listens already, has nothing in its queues, and its time is 0 at most.
crowd_report play(listenq::testing::any_listener& server, const crowd& c);

}  // namespace calculator
