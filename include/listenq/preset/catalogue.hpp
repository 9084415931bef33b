// SPDX-License-Identifier: BSL-1.0
// The catalogue: every preset with its name, its time and how well it is founded, for whoever wants to go through all
// of them: the lab, tests, benchmarks. It knows nothing of what they answer. A new preset is a header and a line here.
#pragma once

#include <listenq/preset/about.hpp>
#include <listenq/preset/bsd_classic.hpp>
#include <listenq/preset/freebsd_13.hpp>
#include <listenq/preset/freebsd_4.hpp>
#include <listenq/preset/gvisor.hpp>
#include <listenq/preset/hpux.hpp>
#include <listenq/preset/linux_2_4.hpp>
#include <listenq/preset/linux_2_6_32.hpp>
#include <listenq/preset/linux_3_12.hpp>
#include <listenq/preset/linux_4_4.hpp>
#include <listenq/preset/linux_5_15.hpp>
#include <listenq/preset/linux_6_18.hpp>
#include <listenq/preset/lwip.hpp>
#include <listenq/preset/mtcp.hpp>
#include <listenq/preset/netbsd.hpp>
#include <listenq/preset/onload.hpp>
#include <listenq/preset/openbsd.hpp>
#include <listenq/preset/seastar.hpp>
#include <listenq/preset/shadow.hpp>
#include <listenq/preset/smoltcp.hpp>
#include <listenq/preset/solaris.hpp>
#include <listenq/preset/vpp.hpp>
#include <listenq/preset/windows_2003.hpp>
#include <listenq/preset/windows_nt.hpp>
#include <listenq/preset/xnu.hpp>

namespace listenq::preset {

/// Calls `visit.template operator()<L>(about)` for every preset, kernels first, each family in order of time.
template <class Visit>
constexpr void for_each(Visit&& visit) {
  using enum family;
  using enum standing;
  visit.template operator()<linux_2_4>({"linux-2.4", "Linux 2.4.7", "2001", linux_kernel, fitted});
  visit.template operator()<linux_2_6_32>({"linux-2.6.32", "Linux 2.6.32", "2009", linux_kernel, read});
  visit.template operator()<linux_3_12>({"linux-3.12", "Linux 3.12", "2013", linux_kernel, read});
  visit.template operator()<linux_4_4>({"linux-4.4", "Linux 4.4", "2016", linux_kernel, partial});
  visit.template operator()<linux_5_15>({"linux-5.15", "Linux 5.15", "2021", linux_kernel, partial});
  visit.template operator()<linux_6_18>({"linux-6.18", "Linux 6.18", "2025", linux_kernel, recorded});
  visit.template operator()<bsd_classic>({"bsd-classic", "4.4BSD", "1993", bsd, partial});
  visit.template operator()<freebsd_4>({"freebsd-4", "FreeBSD 4", "2002", bsd, partial});
  visit.template operator()<freebsd_13>({"freebsd-13", "FreeBSD 13", "2021", bsd, partial});
  visit.template operator()<netbsd>({"netbsd", "NetBSD", "2024", bsd, partial});
  visit.template operator()<openbsd>({"openbsd", "OpenBSD", "2024", bsd, partial});
  visit.template operator()<xnu>({"xnu", "XNU (macOS 15.4)", "2025", bsd, partial});
  visit.template operator()<windows_nt>({"windows-nt", "Windows NT 4", "1996", other_kernel, partial});
  visit.template operator()<windows_2003>({"windows-2003", "Windows 2003 SP1", "2005", other_kernel, partial});
  visit.template operator()<hpux>({"hpux", "HP-UX 11.11", "2000", other_kernel, fitted});
  visit.template operator()<solaris>({"solaris", "Solaris 2.9", "2002", other_kernel, fitted});
  visit.template operator()<mtcp>({"mtcp", "mTCP", "2019", user_space, partial});
  visit.template operator()<lwip>({"lwip", "lwIP", "2026", user_space, partial});
  visit.template operator()<smoltcp>({"smoltcp", "smoltcp", "2026", user_space, partial});
  visit.template operator()<gvisor>({"gvisor", "gVisor", "2026", user_space, partial});
  visit.template operator()<onload>({"onload", "Onload", "2026", user_space, partial});
  visit.template operator()<seastar>({"seastar", "Seastar", "2026", user_space, partial});
  visit.template operator()<shadow>({"shadow", "Shadow", "2026", user_space, partial});
  visit.template operator()<vpp>({"vpp", "VPP", "2026", user_space, partial});
}

}  // namespace listenq::preset
