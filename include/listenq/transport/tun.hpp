// SPDX-License-Identifier: BSL-1.0
// Frames over a TUN interface of Linux: IP packets to and from the machine's own kernel, so that curl and a browser can
// be the client. It creates the interface and configures nothing: addresses, routes and "up" are an administrator's
// (ip-address(8), ip-link(8)). It needs /dev/net/tun and CAP_NET_ADMIN in the network namespace.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <listenq/segment.hpp>
#include <listenq/sink.hpp>
#include <listenq/time.hpp>
#include <listenq/transport/frames.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace listenq {

/// Why a TUN interface could not be opened.
enum class tun_error : unsigned char {
  none,
  no_device,      ///< there is no /dev/net/tun, or nothing behind it
  not_permitted,  ///< no CAP_NET_ADMIN, or the interface belongs to somebody else
  bad_name,       ///< longer than 15 bytes, or not a name for an interface, or one of another kind has it
  in_use,         ///< another process has it open
  system,         ///< anything else: see `system_error`
};

constexpr const char* name_of(tun_error e) noexcept {
  constexpr const char* names[] = {"none", "no_device", "not_permitted", "bad_name", "in_use", "system"};
  return names[static_cast<std::size_t>(e)];
}

/// How a wait ended.
enum class tun_wait : unsigned char {
  readable,     ///< a frame is there
  timeout,      ///< the time is up
  interrupted,  ///< a signal came
  broken,       ///< the interface is gone
};

/// Models `frame_transport`. It never blocks but in `wait`. Moving leaves the source closed. Not thread safe.
class tun {
 public:
  tun() = default;
  tun(const tun&) = delete;
  tun& operator=(const tun&) = delete;
  tun(tun&& other) noexcept { swap(other); }
  tun& operator=(tun&& other) noexcept {
    tun moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~tun() { close(); }

  /// Makes the interface, or attaches to a persistent one of that name. An empty name lets the kernel choose (tun0,
  /// tun1, ...). The interface vanishes with `close`. Closes what was open before, even when it fails.
  tun_error open(std::string_view name) {
    close();
    ifreq request{};
    if (name.size() >= sizeof request.ifr_name) return fail(tun_error::bad_name, ENAMETOOLONG);
    std::copy(name.begin(), name.end(), std::begin(request.ifr_name));
    fd_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd_ < 0) return fail(why(errno), errno);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (::ioctl(fd_, TUNSETIFF, &request) != 0) {
      const int e = errno;
      return fail(e == EINVAL ? tun_error::bad_name : why(e), e);
    }
    name_ = request.ifr_name;  // the kernel ends it with a zero
    mtu_ = ask_mtu();
    in_.resize(longest_frame);
    return tun_error::none;
  }

  void close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    name_.clear();
  }

  bool is_open() const noexcept { return fd_ >= 0; }
  /// The file descriptor, to be polled beside others; -1 when closed.
  int descriptor() const noexcept { return fd_; }
  /// The interface's name.
  const std::string& name() const noexcept { return name_; }
  /// errno of the last failed `open`; 0 if there was none.
  int system_error() const noexcept { return system_error_; }

  std::optional<byte_view> receive() {
    ssize_t n = -1;
    do {
      n = ::read(fd_, in_.data(), in_.size());
    } while (n < 0 && errno == EINTR);
    if (n <= 0) return std::nullopt;
    return byte_view{in_.data(), static_cast<std::size_t>(n)};
  }

  /// `failed` when the kernel does not take it: the interface is down, or the bytes are no IP packet.
  send_result send(byte_view frame) {
    ssize_t n = -1;
    do {
      n = ::write(fd_, frame.data, frame.size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN ? send_result::later : send_result::failed;
    return send_result::sent;
  }

  /// The kernel's own queue takes what comes or drops it; it never asks us to wait.
  bool writable() const noexcept { return fd_ >= 0; }
  /// As it was when the interface was opened, bytes.
  std::size_t mtu() const noexcept { return mtu_; }

  /// Sleeps until a frame is there, `at_most` microseconds at the most (rounded down to none below 0; `never`: without
  /// end). With `mask`, the signals in it are blocked during the wait and no others, as ppoll(2) does.
  tun_wait wait(duration at_most, const sigset_t* mask = nullptr) const {
    pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
    const duration length = std::max<duration>(at_most, 0);
    const timespec limit{.tv_sec = static_cast<time_t>(length / second),
                         .tv_nsec = static_cast<long>(length % second * 1000)};
    const int n = ::ppoll(&p, 1, at_most == never ? nullptr : &limit, mask);
    if (n < 0) return errno == EINTR ? tun_wait::interrupted : tun_wait::broken;
    if (n == 0) return tun_wait::timeout;
    return (p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? tun_wait::broken : tun_wait::readable;
  }

 private:
  static constexpr std::size_t longest_frame = 65535;

  static tun_error why(int e) noexcept {
    switch (e) {
      case ENOENT:
      case ENODEV:
      case ENXIO:
        return tun_error::no_device;
      case EPERM:
      case EACCES:
        return tun_error::not_permitted;
      case EBUSY:
        return tun_error::in_use;
      default:
        return tun_error::system;
    }
  }

  tun_error fail(tun_error e, int code) noexcept {
    close();
    system_error_ = code;
    return e;
  }

  std::size_t ask_mtu() const noexcept {
    constexpr std::size_t usual = 1500;
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return usual;
    ifreq request{};
    std::copy(name_.begin(), name_.end(), std::begin(request.ifr_name));
    const bool known = ::ioctl(any, SIOCGIFMTU, &request) == 0;
    ::close(any);
    return known ? static_cast<std::size_t>(request.ifr_mtu) : usual;
  }

  void swap(tun& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(system_error_, other.system_error_);
    std::swap(mtu_, other.mtu_);
    name_.swap(other.name_);
    in_.swap(other.in_);
  }

  int fd_ = -1;
  int system_error_ = 0;
  std::size_t mtu_ = 1500;
  std::string name_;
  std::vector<std::byte> in_;
};

static_assert(frame_transport<tun>);

}  // namespace listenq
