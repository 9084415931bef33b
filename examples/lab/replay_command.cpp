// SPDX-License-Identifier: BSL-1.0
// What would another listener have made of it? A capture of a server, or an event log, is played to presets, and what
// became of it stands side by side, with the first segment at which they part and why.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <listenq/cause.hpp>
#include <listenq/testing/capture_log.hpp>
#include <listenq/testing/event_log_text.hpp>
#include <listenq/testing/rerun.hpp>
#include <nlohmann/json.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output_files.hpp"
#include "seeds.hpp"
#include "style.hpp"
#include "why.hpp"

namespace lab {

namespace {

namespace lt = listenq::testing;
using json = nlohmann::ordered_json;

/// One column: a preset with what is changed in it.
struct contender {
  std::string name;
  const preset_entry* preset = nullptr;
  std::optional<int> backlog{};
  tunable_values_set tunables{};
};

/// What is played.
struct input {
  std::string path;
  std::string error;  ///< why it could not be read to its end
  std::uint16_t port = 0;
  std::map<std::string, std::size_t> counts{};
  lt::log_notes notes{};
  std::vector<lt::log_entry> log{};
};

struct step {
  std::size_t entry = 0;
  outcome what{};
  lt::queue_lengths_now before{};
  lt::queue_lengths_now after{};
};
struct run {
  contender who;
  lt::rerun_report report{};
  std::vector<step> steps{};  ///< those of the log, in its order
  explanation limits{};
  rules why{};
  std::uint32_t backlog = 0;
  std::uint32_t request_limit = 0;
};

std::string plural(std::uint64_t n, const char* what) { return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s"); }

/// "linux-6.18,syncookies=0,backlog=256".
contender to_contender(const std::string& text) {
  contender c;
  c.name = text;
  std::size_t at = std::min(text.find(','), text.size());
  c.preset = to_preset("--preset", text.substr(0, at));
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string word = text.substr(at + 1, end - at - 1);
    const std::size_t equals = std::min(word.find('='), word.size());
    std::string key = word.substr(0, equals);
    const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
    std::replace(key.begin(), key.end(), '-', '_');
    std::string allowed = "backlog";
    bool known = false;
    if (key == "backlog") {
      known = true;
      c.backlog = to_int("--preset " + text, value, -1'000'000'000, 1'000'000'000);
    }
    for (std::size_t i = 0; i < tunable_count; ++i) {
      const auto t = static_cast<tunable>(i);
      if (!c.preset->reads(t)) continue;
      allowed += std::string(", ") + name_of(t);
      if (key != name_of(t)) continue;
      known = true;
      c.tunables[t] = to_count("--preset " + text, value, t == tunable::somaxconn ? 1'000'000 : max_of(t));
    }
    if (!known) refuse("--preset " + text, word, "NAME=VALUE with NAME one of " + allowed);
    at = end;
  }
  return c;
}

lt::accept_model to_accept(const std::string& text) {
  using kind = lt::accept_model::kind;
  for (const auto& [word, k] : {std::pair{"recorded", kind::recorded}, std::pair{"always", kind::always},
                                std::pair{"never", kind::never}, std::pair{"observed", kind::observed}}) {
    if (text == word) return {k};
  }
  for (const auto& [word, k] : {std::pair{"from=", kind::from}, std::pair{"every=", kind::every}}) {
    if (text.starts_with(word)) return {k, to_duration("--accept", text.substr(std::string(word).size()))};
  }
  refuse("--accept", text, "recorded, always, never, observed, from=SECONDS, every=SECONDS");
}

std::string bytes_of(const std::string& option, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(option, path, "a file that can be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

input read_capture(const std::string& path, std::optional<std::uint16_t> port) {
  const std::string bytes = bytes_of("--pcap", path);
  lt::capture_log c = lt::log_of_capture({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, port);
  if (c.error == wire::capture_error::not_a_capture) refuse("--pcap", path, "a pcap or pcapng capture");
  input in{path,   c.error == wire::capture_error::none ? "" : wire::name(c.error),
           c.port, std::move(c.counts),
           {},     std::move(c.entries)};
  return in;
}

input read_event_log(const std::string& path) {
  lt::log_file f = lt::read_log(bytes_of("--log", path));
  if (f.error != lt::log_error::none) {
    refuse("--log", path, std::string("an event log; line ") + std::to_string(f.line) + ": " + name_of(f.error));
  }
  input in{path, "", 0, {}, std::move(f.notes), std::move(f.entries)};
  for (const lt::log_entry& e : in.log) {
    if (e.kind == lt::log_kind::in) ++in.counts["in"], in.port = e.segment.destination.port;
    if (e.kind == lt::log_kind::out) ++in.counts["out"];
  }
  return in;
}

run play(const contender& who, const lt::logged_attempts& there, lt::rerun_options o, const std::string& record,
         const output_files& files, std::uint64_t seed) {
  run r;
  r.who = who;
  const stack_keys keys = keys_of(seed);
  const std::unique_ptr<door> listener = who.preset->make_door(&keys);
  std::string text;
  if (!record.empty()) {
    text = lt::log_header({{"composition", std::string(who.preset->name)}, {"keys", std::to_string(seed)}});
    o.log = [&text](const lt::log_entry& e) { text.append(lt::to_text(e)) += '\n'; };
  }
  lt::recording<door> tap(*listener, o.log);
  for (const auto& [t, value] : who.tunables) {
    tap.set(t, value, 0);
    o.kept = o.kept | t;
  }
  if (who.backlog) o.backlog = who.backlog;
  o.step = [&r](const lt::rerun_step& s) {
    if (s.entry != lt::rerun_step::none) r.steps.push_back({s.entry, s.outcome, s.before, s.after});
  };
  r.report = lt::rerun(there, *listener, o);
  r.backlog = listener->backlog();
  r.request_limit = listener->request_limit();
  int asked = o.backlog.value_or(128);
  if (!o.backlog) {
    for (const lt::log_entry& e : there.log()) {
      if (e.kind == lt::log_kind::listen) asked = static_cast<int>(e.what);
    }
  }
  r.why = {who.preset->explain(asked, who.tunables), who.preset->value(tunable::abort_on_overflow, who.tunables),
           who.preset->value(tunable::max_syn_backlog, who.tunables)};
  if (!record.empty()) files.write(record, text);
  return r;
}

// --- where two runs part ---

decision decision_of(const run& r, const step& s, const lt::log_entry& e) {
  const auto state = [&r](const lt::queue_lengths_now& q) {
    queue_state st{.requests = q.requests,
                   .young = q.young,
                   .waiting = q.waiting,
                   .backlog = r.backlog,
                   .request_limit = r.request_limit};
    st.accept_full = q.waiting > r.backlog;
    return st;
  };
  decision d{.at = e.at,
             .port = e.segment.source.port,
             .flags = e.segment.flags,
             .payload = e.segment.payload.size,
             .before = state(s.before),
             .after = state(s.after)};
  d.segment = s.what;
  d.before.accept_full = s.what.stages.has(stage::accept_full) || d.before.accept_full;
  d.before.request_full = s.what.stages.has(stage::request_full);
  return d;
}

std::string what_became(const run& r, const std::optional<step>& s, const lt::log_entry& e) {
  if (!s) return "nobody sent it here, or its connection took it";
  std::string text = std::string(name_of(s->what.verdict)) + " (" + causes[cause_index(s->what)].why + ")";
  const bool linux_words = r.who.preset->family == preset::family::linux_kernel;
  return linux_words ? text + ": " + why(decision_of(r, *s, e), r.why) : text;
}

struct parting {
  std::size_t entry = 0;
  std::optional<step> first{};
  std::optional<step> other{};
};

/// The first segment of the log of which the two runs made something else.
std::optional<parting> part(const run& a, const run& b) {
  for (std::size_t i = 0, k = 0; i < a.steps.size() || k < b.steps.size();) {
    const std::size_t ai = i < a.steps.size() ? a.steps[i].entry : lt::rerun_step::none;
    const std::size_t bk = k < b.steps.size() ? b.steps[k].entry : lt::rerun_step::none;
    if (ai != bk) {
      return parting{std::min(ai, bk), ai < bk ? std::optional(a.steps[i]) : std::nullopt,
                     bk < ai ? std::optional(b.steps[k]) : std::nullopt};
    }
    if (a.steps[i].what.verdict != b.steps[k].what.verdict) return parting{ai, a.steps[i], b.steps[k]};
    ++i, ++k;
  }
  return std::nullopt;
}

bool sends_syn_ack(const outcome& o) {
  return o.verdict == verdict::cookie_sent || o.verdict == verdict::fast_opened ||
         ((o.verdict == verdict::admitted || o.verdict == verdict::duplicate_syn) && o.stages.has(stage::answered));
}
/// The first SYN that was answered there and not here, or the other way round.
std::optional<step> part_from_record(const run& r, const lt::logged_attempts& there) {
  for (const step& s : r.steps) {
    if (!lt::detail::is_syn(there.log()[s.entry].segment)) continue;
    if (there.answered(s.entry) != sends_syn_ack(s.what)) return s;
  }
  return std::nullopt;
}

std::string event_text(const lt::log_entry& e) {
  return "at " + time_text(e.at) + " s, " + to_text(e.segment.flags) + " of " + to_text(e.segment.source);
}

// --- what is printed ---

using rows = std::vector<std::pair<std::string, std::vector<std::string>>>;

rows table_of(const std::vector<run>& runs, const lt::logged_attempts& there) {
  rows all;
  const lt::logged_server& s = there.server();
  const auto row = [&](const std::string& name, const std::string& recorded, auto value) {
    std::vector<std::string> cells{recorded};
    for (const run& r : runs) cells.push_back(std::to_string(value(r.report)));
    all.emplace_back(name, cells);
  };
  using report = lt::rerun_report;
  row("segments in", std::to_string(s.segments), [](const report& r) { return r.segments + r.to_connections; });
  row("  of them to connections", "", [](const report& r) { return r.to_connections; });
  row("  of them added", "", [](const report& r) { return r.added; });
  row("withheld", "", [](const report& r) { return r.withheld; });
  for (std::size_t v = 0; v < verdict_count; ++v) {
    const auto of = static_cast<verdict>(v);
    if (std::none_of(runs.begin(), runs.end(), [of](const run& r) { return r.report.of(of) > 0; })) continue;
    row(name_of(of), "", [of](const report& r) { return r.of(of); });
  }
  row("SYN-ACKs sent", std::to_string(s.syn_acks), [](const report& r) { return r.syn_acks; });
  row("RSTs sent", std::to_string(s.resets), [](const report& r) { return r.resets; });
  row("requests timed out", "", [](const report& r) { return r.timed_out; });
  row("handshakes completed", s.connections > 0 ? std::to_string(s.connections) : "",
      [](const report& r) { return r.connections; });
  row("accepted", "", [](const report& r) { return r.accepted; });
  row("honest clients lost", "0 of " + std::to_string(s.honest), [](const report& r) { return r.honest_lost; });
  row("SYNs answered as there", std::to_string(s.syns), [](const report& r) { return r.syns_alike; });
  row("most requests", "", [](const report& r) { return std::uint64_t{r.most_requests}; });
  row("most waiting", "", [](const report& r) { return std::uint64_t{r.most_waiting}; });
  return all;
}

void print_table(const rows& all, const std::vector<run>& runs) {
  std::vector<std::string> head{"there"};
  for (const run& r : runs) head.push_back(r.who.name);
  std::size_t first = 0;
  for (const auto& [name, cells] : all) first = std::max(first, name.size());
  std::vector<std::size_t> width;
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::size_t w = head[i].size();
    for (const auto& [name, cells] : all) w = std::max(w, cells[i].size());
    width.push_back(w + 2);
  }
  const auto line = [&](const std::string& name, const std::vector<std::string>& cells) {
    std::cout << name << std::string(first - name.size(), ' ');
    for (std::size_t i = 0; i < cells.size(); ++i)
      std::cout << std::string(width[i] - cells[i].size(), ' ') << cells[i];
    std::cout << '\n';
  };
  line("", head);
  for (const auto& [name, cells] : all) line(name, cells);
}

void print_partings(const std::vector<run>& runs, const lt::logged_attempts& there, const style& look) {
  for (const run& r : runs) {
    const auto s = part_from_record(r, there);
    if (!s) continue;
    const lt::log_entry& e = there.log()[s->entry];
    paragraph(std::cout, "",
              look.strong(r.who.name) + " parts from the record " + event_text(e) + ": " +
                  (there.answered(s->entry) ? "answered" : "not answered") + " there; here " + what_became(r, s, e) +
                  '.');
  }
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const auto p = part(runs[0], runs[i]);
    if (!p) {
      std::cout << look.strong(runs[i].who.name) << " decides as " << runs[0].who.name << " throughout\n";
      continue;
    }
    const lt::log_entry& e = there.log()[p->entry];
    std::cout << look.strong(runs[i].who.name) << " parts from " << runs[0].who.name << ' ' << event_text(e) << ":\n";
    paragraph(std::cout, "  " + runs[0].who.name + ": ", what_became(runs[0], p->first, e));
    paragraph(std::cout, "  " + runs[i].who.name + ": ", what_became(runs[i], p->other, e));
  }
}

json to_json(const run& r, const run& first, const lt::logged_attempts& there) {
  const lt::rerun_report& p = r.report;
  json verdicts = json::object();
  for (std::size_t v = 0; v < verdict_count; ++v) {
    if (p.verdicts[v] > 0) verdicts[name_of(static_cast<verdict>(v))] = p.verdicts[v];
  }
  const auto at = [&](std::size_t entry) { return json(static_cast<double>(there.log()[entry].at) / 1e6); };
  const auto parted = part(first, r);
  const auto from_record = part_from_record(r, there);
  return {{"preset", r.who.name},
          {"segments", p.segments},
          {"to_connections", p.to_connections},
          {"added", p.added},
          {"withheld", p.withheld},
          {"untranslated", p.untranslated},
          {"verdicts", verdicts},
          {"syn_acks", p.syn_acks},
          {"resets", p.resets},
          {"timed_out", p.timed_out},
          {"connections", p.connections},
          {"accepted", p.accepted},
          {"honest", p.honest},
          {"honest_lost", p.honest_lost},
          {"syns", p.syns},
          {"syns_alike", p.syns_alike},
          {"most_requests", p.most_requests},
          {"most_waiting", p.most_waiting},
          {"parts_from_first", parted ? at(parted->entry) : json(nullptr)},
          {"parts_from_record", from_record ? at(from_record->entry) : json(nullptr)}};
}

json to_json(const input& in, const std::vector<run>& runs, const lt::logged_attempts& there, const json& exact) {
  const lt::logged_server& s = there.server();
  json j{{"file", in.path},
         {"error", in.error.empty() ? json(nullptr) : json(in.error)},
         {"port", in.port},
         {"counts", in.counts},
         {"there",
          {{"segments", s.segments},
           {"syns", s.syns},
           {"syns_answered", s.syns_answered},
           {"syn_acks", s.syn_acks},
           {"resets", s.resets},
           {"honest", s.honest}}},
         {"exact", exact},
         {"runs", json::array()}};
  for (const run& r : runs) j["runs"].push_back(to_json(r, runs.front(), there));
  return j;
}

/// Does a log replay bit for bit under the composition that it names? Nothing if it names none, or is not decided.
std::optional<lt::replay_report> replay_exactly(const input& in) {
  const preset_entry* const p = find_preset(lt::note_of(in.notes, "composition"));
  const bool decided = std::all_of(in.log.begin(), in.log.end(), [](const lt::log_entry& e) { return e.decided; });
  if (p == nullptr || !decided || in.log.empty()) return std::nullopt;
  const std::string keys = lt::note_of(in.notes, "keys");
  const std::optional<stack_keys> k = keys.empty() ? std::nullopt : std::optional(keys_of(to_seed("note keys", keys)));
  const std::unique_ptr<door> d = p->make_door(k ? &*k : nullptr);
  return lt::replay(std::span<const lt::log_entry>(in.log), *d);
}

void print_input(const input& in, const lt::logged_attempts& there, const std::optional<lt::replay_report>& exact,
                 const style& look) {
  const instant length = in.log.empty() ? 0 : in.log.back().at - in.log.front().at;
  std::string left_out;
  for (const auto& [name, n] : in.counts) {
    if (name != "in" && name != "out") left_out += (left_out.empty() ? "; " : ", ") + std::to_string(n) + ' ' + name;
  }
  std::cout << look.heading(in.path) << ": " << time_text(length) << " s, port " << in.port << ", "
            << plural(there.server().segments, "segment") << " in" << left_out << '\n';
  if (!in.error.empty()) std::cout << look.bad("The file ends early: " + in.error) << '\n';
  if (!exact) return;
  if (*exact) {
    std::cout << look.good("It replays bit for bit") << " as " << lt::note_of(in.notes, "composition") << ", "
              << plural(exact->inputs, "input") << '\n';
  } else {
    const lt::log_difference& d = *exact->difference;
    std::cout << look.bad("It does not replay as ") << lt::note_of(in.notes, "composition") << ": entry " << d.entry
              << "\n  recorded: " << d.expected << "\n  now:      " << d.got << '\n';
  }
}

}  // namespace

int replay_command(int argc, const char* const* argv) {
  CLI::App app("What would another listener have made of it? A server's capture, or an event log, under any presets.",
               "lab replay");
  app.footer(
      "A capture has no word of the application: --accept says when it accepts; `observed` is when the server's first\n"
      "bytes to a client are in the capture. A client that finished its handshake there and finds no answer here "
      "tries\n"
      "again as Linux does (--clients persistent); one that never finished may be forged, and says what it said "
      "there.");
  std::string pcap;
  std::string log;
  std::string record;
  std::string json_path;
  std::vector<std::string> names;
  std::optional<std::uint16_t> port;
  std::uint64_t seed = 1;
  std::optional<int> backlog;
  tunable_values_set everywhere;
  lt::rerun_options o;
  const auto value = [&app](const char* name, const char* type, const char* help, auto set) {
    app.add_option_function<std::string>(
           name, [name, set](const std::string& v) { set(name, v); }, help)
        ->type_name(type);
  };
  app.add_option("--pcap", pcap, "a capture: pcap or pcapng")->type_name("FILE");
  app.add_option("--log", log, "an event log, of `simulate --log` or of --record")->type_name("FILE");
  app.add_option("--preset", names,
                 "a column; NAME,backlog=N,syncookies=0,... changes it [linux-6.18, or the log's own]")
      ->type_name("NAME[,OPTION=VALUE...]")
      ->take_all();
  value("--port", "N", "the server's port [the one that most SYNs go to]",
        [&port](const char* n, const std::string& v) { port = static_cast<std::uint16_t>(to_int(n, v, 1, 65535)); });
  value("--backlog", "N", "of every column [the log's, else 128]",
        [&backlog](const char* n, const std::string& v) { backlog = to_int(n, v, -1'000'000'000, 1'000'000'000); });
  for (const tunable t : {tunable::syncookies, tunable::max_syn_backlog, tunable::somaxconn, tunable::abort_on_overflow,
                          tunable::synack_retries}) {
    std::string name = std::string("--") + name_of(t);
    std::replace(name.begin(), name.end(), '_', '-');
    app.add_option_function<std::string>(
           name, [name, t, &everywhere](const std::string& v) { everywhere[t] = to_count(name, v, max_of(t)); },
           "of every column whose preset reads it")
        ->type_name("N");
  }
  value("--accept", "recorded|always|never|observed|from=T|every=T", "when the application accepts [recorded]",
        [&o](const char*, const std::string& v) { o.accept = to_accept(v); });
  value("--clients", "persistent|as-recorded", "do clients that find no answer try again? [persistent]",
        [&o](const char* n, const std::string& v) {
          if (v != "persistent" && v != "as-recorded") refuse(n, v, "persistent, as-recorded");
          o.persistent = v == "persistent";
        });
  value("--head-start", "SECONDS", "listens so long before a capture begins: for sweeps [0]",
        [&o](const char* n, const std::string& v) { o.head_start = to_duration(n, v); });
  value("--seed", "N", "of the keys [1]", [&seed](const char* n, const std::string& v) { seed = to_seed(n, v); });
  app.add_option("--record", record, "the first column's run as an event log")->type_name("FILE");
  app.add_option("--json", json_path, "as JSON; - is standard output")->type_name("FILE|-");
  if (!parse(app, argc, argv)) return 0;
  if (pcap.empty() == log.empty()) throw usage_error("lab replay: give one of --pcap FILE and --log FILE");

  const input in = log.empty() ? read_capture(pcap, port) : read_event_log(log);
  std::vector<contender> contenders;
  if (names.empty()) {
    const std::string own = lt::note_of(in.notes, "composition");
    names.push_back(find_preset(own) != nullptr ? own : "linux-6.18");
  }
  for (const std::string& n : names) {
    contenders.push_back(to_contender(n));
    contender& c = contenders.back();
    if (!c.backlog) c.backlog = backlog;
    for (const auto& [t, v] : everywhere) {
      if (c.preset->reads(t)) c.tunables.try_emplace(t, v);
    }
  }
  output_files files;
  if (!record.empty()) files.add("--record", record);
  if (app.get_option("--json")->count() > 0) files.add("--json", json_path, true);

  const lt::logged_attempts there(in.log);
  const std::optional<lt::replay_report> exact = replay_exactly(in);
  std::vector<run> runs;
  for (const contender& c : contenders) {
    runs.push_back(play(c, there, o, runs.empty() && !record.empty() ? "--record" : "", files, seed));
  }
  const style look = style::of_stdout();
  if (files.has("--json")) {
    files.write("--json",
                to_json(in, runs, there, exact ? json(static_cast<bool>(*exact)) : json(nullptr)).dump() + '\n');
  } else {
    print_input(in, there, exact, look);
    print_table(table_of(runs, there), runs);
    print_partings(runs, there, look);
  }
  return exact && !*exact ? 1 : 0;
}

}  // namespace lab
