// SPDX-License-Identifier: BSL-1.0
// The core of listenq in one include: the listener, its slots and their models. Presets, transports, the reference
// connection, wire formats and the opt-in tools (mirror, describe, explain) have headers of their own.
#pragma once

#include <listenq/address.hpp>
#include <listenq/composition.hpp>
#include <listenq/handshake.hpp>
#include <listenq/listener.hpp>
#include <listenq/option.hpp>
#include <listenq/outcome.hpp>
#include <listenq/policy/admission.hpp>
#include <listenq/policy/budget.hpp>
#include <listenq/policy/child.hpp>
#include <listenq/policy/clamp.hpp>
#include <listenq/policy/clockwork.hpp>
#include <listenq/policy/cookies.hpp>
#include <listenq/policy/counters.hpp>
#include <listenq/policy/deferral.hpp>
#include <listenq/policy/family.hpp>
#include <listenq/policy/fast_open.hpp>
#include <listenq/policy/hashing.hpp>
#include <listenq/policy/isn.hpp>
#include <listenq/policy/lifecycle.hpp>
#include <listenq/policy/linux_era.hpp>
#include <listenq/policy/observer.hpp>
#include <listenq/policy/offer.hpp>
#include <listenq/policy/overflow.hpp>
#include <listenq/policy/pressure.hpp>
#include <listenq/policy/requests.hpp>
#include <listenq/policy/schedule.hpp>
#include <listenq/policy/sizing.hpp>
#include <listenq/policy/storage.hpp>
#include <listenq/policy/tunables.hpp>
#include <listenq/policy/validation.hpp>
#include <listenq/policy/waiting.hpp>
#include <listenq/queue/accept_queue.hpp>
#include <listenq/queue/answers.hpp>
#include <listenq/queue/request.hpp>
#include <listenq/queue/request_queue.hpp>
#include <listenq/queue/request_table.hpp>
#include <listenq/queue/shared_requests.hpp>
#include <listenq/queue/timer_lists.hpp>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/version.hpp>
