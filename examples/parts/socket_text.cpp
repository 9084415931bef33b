// SPDX-License-Identifier: BSL-1.0
#include "socket_text.hpp"

namespace lab {

const char* netstat_name(const socket_row& r) {
  if (r.listens) return "LISTEN";
  switch (r.state) {
    case connection_state::closed:
      return "CLOSE";
    case connection_state::syn_sent:
      return "SYN_SENT";
    case connection_state::syn_received:
      return "SYN_RECV";
    case connection_state::established:
      return "ESTABLISHED";
    case connection_state::fin_wait_1:
      return "FIN_WAIT1";
    case connection_state::fin_wait_2:
      return "FIN_WAIT2";
    case connection_state::close_wait:
      return "CLOSE_WAIT";
    case connection_state::closing:
      return "CLOSING";
    case connection_state::last_ack:
      return "LAST_ACK";
    case connection_state::time_wait:
      return "TIME_WAIT";
  }
  return "?";
}

}  // namespace lab
