"""What ss shows of one four-tuple, asked of the kernel (sock_diag) without a process or a walk through all sockets."""
import socket
import struct
from typing import NamedTuple

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 4, 20, 1
NLMSG_ERROR = 2
INET_DIAG_INFO = 2
LISTEN = 10
# As ss prints them. A request is SYN-RECV.
STATES = {1: "ESTAB", 2: "SYN-SENT", 3: "SYN-RECV", 4: "FIN-WAIT-1", 5: "FIN-WAIT-2", 6: "TIME-WAIT", 7: "none",
          8: "CLOSE-WAIT", 9: "LAST-ACK", 10: "LISTEN", 11: "CLOSING", 12: "SYN-RECV"}


class Row(NamedTuple):
    state: str
    receive_queue: int  # of a listener: how many connections wait
    send_queue: int  # of a listener: its backlog


class Diag:
    def __init__(self):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._socket.settimeout(20)

    def close(self):
        self._socket.close()

    def row(self, local, local_port, peer="0.0.0.0", peer_port=0):
        """The socket or request of a four-tuple, or the listener at its local end, or None."""
        identity = struct.pack("!HH4s12x4s12x", local_port, peer_port, socket.inet_aton(local), socket.inet_aton(peer))
        request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + identity
        request += struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any interface, no cookie
        self._socket.send(struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + request)
        answer = self._socket.recv(8192)
        if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
            return None
        state = answer[16 + 1]
        return Row(STATES[state], *struct.unpack_from("=II", answer, 16 + 4 + 48 + 4))

    def state(self, local, local_port, peer, peer_port):
        """As ss prints it, or "none"."""
        row = self.row(local, local_port, peer, peer_port)
        return "none" if row is None or row.state == "LISTEN" else row.state
