// SPDX-License-Identifier: BSL-1.0
// The version, for `#if`; the only macros of the library.
#pragma once

#define LISTENQ_VERSION_MAJOR 0
#define LISTENQ_VERSION_MINOR 1
#define LISTENQ_VERSION_PATCH 0
