// Power is lost after every single thing that a run does to files: power_loss PROGRAM PRELOAD. What was not synced may
// be there or not, in part, and in any order. A model or a checkpoint that the run had said is saved must be whole.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "faults/record.hpp"
#include "halfstep/jobs.hpp"
#include "run/checkpoint_folder.hpp"

namespace halfstep::faults {
namespace {

namespace fs = std::filesystem;

struct Record {
  Operation operation;
  std::int64_t file;
  std::string first, second;
};

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Record> read_records(const fs::path& path) {
  const std::string bytes = contents(path);
  std::vector<Record> records;
  for (std::size_t at = 0; at + 32 <= bytes.size();) {
    std::int64_t head[4];
    std::copy_n(bytes.data() + at, sizeof head, reinterpret_cast<char*>(head));
    at += sizeof head;
    Record r = {static_cast<Operation>(head[0]), head[1], {}, {}};
    r.first = bytes.substr(at, static_cast<std::size_t>(head[2]));
    r.second = bytes.substr(at + r.first.size(), static_cast<std::size_t>(head[3]));
    at += r.first.size() + r.second.size();
    records.push_back(std::move(r));
  }
  return records;
}

// A change of names that may not have reached the disk.
struct NameChange {
  std::string folder;
  std::string from, to;  // `from` goes away, `to` is the file; either may be empty
  int file = -1;
};

// Files and names as they are, and as the disk has them for certain.
class Disk {
 public:
  using Names = std::map<std::string, int>;

  void add(const std::string& path, std::string bytes) {
    files_.push_back({bytes, bytes});
    now_[path] = durable_[path] = static_cast<int>(files_.size()) - 1;
  }

  void apply(const Record& r) {
    switch (r.operation) {
      case Operation::open:
      case Operation::open_empty:
        return open(r);
      case Operation::write:
        if (const auto at = open_.find(r.file); at != open_.end() && at->second.file >= 0) {
          File& file = files_[static_cast<std::size_t>(at->second.file)];
          file.bytes.resize(std::max(file.bytes.size(), at->second.place));
          file.bytes.replace(at->second.place, r.first.size(), r.first);
          at->second.place += r.first.size();
        }
        return;
      case Operation::fsync:
        return sync(r.file);
      case Operation::close:
        open_.erase(r.file);
        return;
      case Operation::reserve:
        return;
      case Operation::rename:
        return change({folder_of(r.second), r.first, r.second, now_.at(plain(r.first))});
      case Operation::link:
        return change({folder_of(r.second), {}, r.second, now_.at(plain(r.first))});
      case Operation::unlink:
        return change({folder_of(r.first), r.first, {}, -1});
    }
  }

  // What may be there after power was lost: which of the pending changes of names arrived, and how much of the bytes
  // that nobody synced.
  enum class Bytes { synced, all, torn };
  std::map<std::string, std::string> left(const std::vector<bool>& arrived, Bytes bytes) const {
    Names names = durable_;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (arrived[i]) change(names, pending_[i]);
    }
    std::map<std::string, std::string> out;
    for (const auto& [path, file] : names) {
      const File& f = files_[static_cast<std::size_t>(file)];
      std::string& to = out[path] = bytes == Bytes::synced ? f.durable : f.bytes;
      if (bytes == Bytes::torn && f.durable != f.bytes)
        to.replace(to.size() / 2, std::string::npos, to.size() / 2, '\0');
    }
    return out;
  }
  std::size_t pending() const { return pending_.size(); }

 private:
  struct File {
    std::string bytes, durable;
  };
  struct Open {
    int file;  // -1: a folder
    std::string path;
    std::size_t place;
  };

  static std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
  }
  static std::string plain(const std::string& path) { return path.starts_with("./") ? path.substr(2) : path; }

  void open(const Record& r) {
    const std::string path = plain(r.first);
    if (path.starts_with('/') || fs::is_directory(path)) {
      open_[r.file] = {-1, path, 0};
      return;
    }
    if (!now_.contains(path)) {
      files_.emplace_back();
      change({folder_of(path), {}, path, static_cast<int>(files_.size()) - 1});
    }
    const int file = now_.at(path);
    if (r.operation == Operation::open_empty) files_[static_cast<std::size_t>(file)].bytes.clear();
    open_[r.file] = {file, path, 0};
  }

  void sync(std::int64_t descriptor) {
    const auto at = open_.find(descriptor);
    if (at == open_.end()) return;
    if (at->second.file >= 0) {
      File& file = files_[static_cast<std::size_t>(at->second.file)];
      file.durable = file.bytes;
      return;
    }
    std::vector<NameChange> others;
    for (const NameChange& c : pending_) {
      if (c.folder == at->second.path) {
        change(durable_, c);
      } else {
        others.push_back(c);
      }
    }
    pending_ = std::move(others);
  }

  void change(NameChange c) {
    c.from = plain(c.from);
    c.to = plain(c.to);
    c.folder = plain(c.folder);
    change(now_, c);
    pending_.push_back(std::move(c));
  }
  static void change(Names& names, const NameChange& c) {
    if (!c.from.empty() && c.from != c.to) names.erase(c.from);
    if (!c.to.empty()) names[c.to] = c.file;
  }

  std::vector<File> files_;
  Names now_, durable_;
  std::vector<NameChange> pending_;
  std::map<std::int64_t, Open> open_;
};

// Which of some changes may have arrived: all orders of them come to these for what is looked at here.
std::vector<std::vector<bool>> subsets(std::size_t changes) {
  std::set<std::vector<bool>> out;
  for (std::size_t i = 0; i <= changes; ++i) {
    std::vector<bool> prefix(changes), suffix(changes), alone(changes), without(changes, true);
    std::fill_n(prefix.begin(), i, true);
    std::fill(suffix.begin() + static_cast<std::ptrdiff_t>(i), suffix.end(), true);
    if (i < changes) alone[i] = true, without[i] = false;
    out.insert({prefix, suffix, alone, without});
  }
  return {out.begin(), out.end()};
}

class Check {
 public:
  Check(fs::path scratch, std::string old_model) : scratch_(std::move(scratch)), old_model_(std::move(old_model)) {}

  // Looks at all that may be left when power is lost now. `saved`: the last checkpoint of which the run had said so.
  void look(const Disk& disk, std::int64_t saved, bool ended) {
    for (const std::vector<bool>& arrived : subsets(disk.pending())) {
      for (const Disk::Bytes bytes : {Disk::Bytes::synced, Disk::Bytes::all, Disk::Bytes::torn}) {
        judge(disk.left(arrived, bytes), saved, ended);
      }
    }
  }
  long states() const { return states_; }
  long failures() const { return failures_; }

 private:
  void judge(const std::map<std::string, std::string>& files, std::int64_t saved, bool ended) {
    if (!seen_.insert({files, saved, ended}).second) return;
    ++states_;
    fs::remove_all(scratch_);
    fs::create_directories(scratch_ / "ck");
    for (const auto& [path, bytes] : files) std::ofstream(scratch_ / path, std::ios::binary) << bytes;
    const auto model = files.find("model.safetensors");
    if (model == files.end()) return fail("the model is gone", saved);
    const bool old = model->second == old_model_;
    if (!old && !verify((scratch_ / "model.safetensors").string()).good) fail("the model is damaged", saved);
    if (old && ended) fail("the model is the old one after the run has ended", saved);
    std::int64_t newest = 0;
    try {
      std::vector<std::string> passed;
      const auto found = internal::newest_checkpoint((scratch_ / "ck").string(), passed);
      newest = found ? found->checkpoint.attempted : 0;
    } catch (const std::exception& error) {
      if (saved > 0) return fail(error.what(), saved);
    }
    if (newest < saved) fail("the newest good checkpoint is that of step " + std::to_string(newest), saved);
  }
  void fail(const std::string& what, std::int64_t saved) {
    if (++failures_ <= 20) std::printf("FAILED after step %ld was saved: %s\n", static_cast<long>(saved), what.c_str());
  }

  fs::path scratch_;
  std::string old_model_;
  std::set<std::tuple<std::map<std::string, std::string>, std::int64_t, bool>> seen_;
  long states_ = 0, failures_ = 0;
};

// "checkpoint of step 12: ...": what the run has said, in what it wrote to standard error.
std::int64_t said_saved(const std::string& text) {
  constexpr std::string_view kWords = "checkpoint of step ";
  const std::size_t at = text.find(kWords);
  return at == std::string::npos || text.find("no checkpoint") != std::string::npos
             ? 0
             : std::stol(text.substr(at + kWords.size()));
}

void run(const fs::path& program, const std::string& environment, const std::string& flags) {
  const std::string command = environment + " '" + program.string() +
                              "' train tiny.csv --hidden 3 --threads 1 --out model.safetensors " + flags +
                              " >out 2>err";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("the run fails: " + contents("err"));
}

int lose_power(const fs::path& program, const fs::path& preload) {
  const fs::path folder = fs::temp_directory_path() / ("halfstep_power_" + std::to_string(::getpid()));
  fs::create_directories(folder / "work");
  fs::current_path(folder / "work");
  std::ofstream table("tiny.csv");
  table << "a,b,y\n";
  for (int i = 0; i < 12; ++i) table << i << "," << 3 * i % 7 << "," << (i % 2 == 0 ? "rose" : "oak") << "\n";
  table.close();
  run(program, "", "--steps 2 --quiet");
  const std::string old_model = contents("model.safetensors");
  const fs::path records = folder / "records";
  run(program, "LD_PRELOAD='" + preload.string() + "' HALFSTEP_RECORD='" + records.string() + "'",
      "--steps 7 --checkpoint-dir ck --checkpoint-every 1 --checkpoint-keep 2 -v");

  Disk disk;
  disk.add("model.safetensors", old_model);
  Check check(folder / "disk", old_model);
  std::int64_t saved = 0, ended_at = 0;
  const std::vector<Record> all = read_records(records);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].file == STDOUT_FILENO && all[i].operation == Operation::write) ended_at = static_cast<std::int64_t>(i);
  }
  long syncs = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    disk.apply(all[i]);
    syncs += all[i].operation == Operation::fsync ? 1 : 0;
    if (all[i].file == STDERR_FILENO) saved = std::max(saved, said_saved(all[i].first));
    check.look(disk, saved, ended_at > 0 && static_cast<std::int64_t>(i) >= ended_at);
  }
  fs::current_path(fs::temp_directory_path());
  fs::remove_all(folder);
  std::printf("%zu operations, %ld syncs, %ld states of the disk, last saved step %ld, %ld failures\n", all.size(),
              syncs, check.states(), static_cast<long>(saved), check.failures());
  return check.failures() == 0 && saved >= 3 && check.states() > 100 && ended_at > 0 ? 0 : 1;
}

}  // namespace
}  // namespace halfstep::faults

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 3) return 2;
  try {
    return halfstep::faults::lose_power(fs::absolute(argv[1]), fs::absolute(argv[2]));
  } catch (const std::exception& error) {
    std::printf("FAILED: %s\n", error.what());
    return 1;
  }
}
