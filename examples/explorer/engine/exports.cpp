// SPDX-License-Identifier: BSL-1.0
#include "exports.hpp"

#include <nlohmann/json.hpp>

#include "capture.hpp"
#include "settings_json.hpp"
#include "world_json.hpp"

namespace explorer {

namespace {

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 3; ++k) v = v << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string padded(std::string s, std::size_t width) {
  s.resize(std::max(s.size() + 1, width), ' ');
  return s;
}

std::string as_ss(live_world& w) {
  std::string text = "State      Recv-Q Send-Q Local Address:Port      Peer Address:Port       Timer\n";
  for (const json& row : sockets_of(w, 10'000)) {
    text += padded(row["state"].get<std::string>(), 11) + padded(std::to_string(row["recv_q"].get<std::size_t>()), 7) +
            padded(std::to_string(row["send_q"].get<std::size_t>()), 7) + padded(row["local"].get<std::string>(), 24) +
            padded(row["peer"].get<std::string>(), 24) + row["timer"].get<std::string>();
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string as_nstat(const live_world& w) {
  std::string text = "#kernel\n";
  for (const auto& [name, n] : w.server().counters()) text += padded(name, 32) + std::to_string(n) + '\n';
  return text;
}

std::vector<lab::packet> packets_of(const live_world& w, std::optional<std::uint32_t> client) {
  if (!client) return w.packets();
  std::vector<lab::packet> own;
  for (const lab::packet& p : w.packets()) {
    if (w.client_at(p.port()) == client) own.push_back(p);
  }
  return own;
}

std::string as_json(live_world& w) {
  json j{{"settings", to_json(w.settings())}, {"state", state_of(w)}};
  j["state"].erase("settings");
  j["events"] = events_of(w, 0, live_world::most_events)["events"];
  return j.dump();
}

}  // namespace

json exported(live_world& w, const json& request) {
  const auto as = request.find("as");
  const std::string form = as != request.end() && as->is_string() ? as->get<std::string>() : std::string();
  std::optional<std::uint32_t> client;
  if (const auto c = request.find("client"); c != request.end() && !c->is_null()) {
    const auto n = integer_in(*c, 0, 1'000'000'000);
    if (!n || !w.visitors().contains(static_cast<std::uint32_t>(*n)))
      return {{"error", "client: there is no such one"}};
    client = static_cast<std::uint32_t>(*n);
  }
  if (form == "pcap") return {{"base64", base64(lab::as_pcapng(packets_of(w, client)))}};
  if (form == "mermaid") return {{"text", lab::as_mermaid(packets_of(w, client))}};
  if (form == "cpp") return {{"text", as_program(w)}};
  if (form == "ss") return {{"text", as_ss(w)}};
  if (form == "nstat") return {{"text", as_nstat(w)}};
  if (form == "json") return {{"text", as_json(w)}};
  return {{"error", "as: one of pcap, mermaid, cpp, ss, nstat, json is expected"}};
}

}  // namespace explorer
