#include "faults/run.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace halfstep::faults {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{30};  // a healthy run takes milliseconds
constexpr int kNotLoaded = 127;                // the dynamic linker's exit code
constexpr std::string_view kFirst = "step-000000000001.safetensors",
                           kLostCheckpoint = "warning: no checkpoint of step ";

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Without the lines that say of a checkpoint that it is not there.
std::string without_lost_checkpoints(const std::string& errors) {
  std::istringstream lines(errors);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kLostCheckpoint)) rest += line + "\n";
  }
  return rest;
}

std::vector<std::string> environment(const Paths& paths, const Fault& fault, const fs::path& counts) {
  std::vector<std::string> out = {"PATH=/usr/bin:/bin"};
  if (fault.kind.empty() && counts.empty()) return out;
  out.push_back("LD_PRELOAD=" + paths.preload.string());
  out.push_back("HALFSTEP_FAULT=" + fault.kind);
  out.push_back("HALFSTEP_FAULT_AT=" + std::to_string(fault.at));
  out.push_back("HALFSTEP_FAULT_ERROR=" + std::to_string(fault.error));
  if (fault.for_ever) out.push_back("HALFSTEP_FAULT_ON=1");
  if (!counts.empty()) out.push_back("HALFSTEP_FAULT_COUNTS=" + counts.string());
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Between fork and exec: nothing that takes memory or locks.
[[noreturn]] void become(const char* folder, char* const* words, char* const* variables, std::size_t address_space) {
  const int out = ::chdir(folder) == 0 ? ::open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
  const int err = ::open("err", O_WRONLY | O_CREAT | O_TRUNC, 0644), in = ::open("/dev/null", O_RDONLY);
  if (out < 0 || err < 0 || in < 0) ::_exit(99);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  for (const int file : {out, err, in}) ::close(file);
  const rlimit none{0, 0}, space{address_space, address_space};
  ::setrlimit(RLIMIT_CORE, &none);
  if (address_space > 0) ::setrlimit(RLIMIT_AS, &space);
  ::execve(words[0], words, variables);
  ::_exit(98);
}

}  // namespace

std::string Fault::text() const {
  if (address_space > 0) return "address space of " + std::to_string(address_space >> 20) + " MiB";
  if (kind.empty()) return "no fault";
  return kind + " " + std::to_string(at) + (for_ever ? " and all behind it" : "") +
         (error != 0 ? ", errno " + std::to_string(error) : "");
}

Bench::Bench(const Paths& paths, const Command& command, fs::path folder)
    : paths_(paths), command_(command), folder_(std::move(folder)) {
  fs::create_directories(folder_);
  make_inputs(paths_, folder_);
  old_result_ = command_.result.ends_with(".safetensors") ? contents(folder_ / "model.safetensors") : "older\n";
  if (!command_.checkpoints.empty()) make_first_checkpoint();
  prepare();
  const Ending healthy = run({}, true);
  if (healthy.code != 0) throw std::runtime_error(command_.name + " fails without a fault: " + healthy.errors);
  counts_ = contents(folder_ / "counts");
  for (const char* kind : {"malloc", "open", "write", "close"}) {
    if (calls(kind) == 0) throw std::runtime_error(std::string("the preload does not see calls of ") + kind);
  }
  if (!command_.result.empty()) new_result_ = contents(folder_ / command_.result);
}

void Bench::make_first_checkpoint() {
  const Ending whole = run({}, false);
  if (whole.code != 0) throw std::runtime_error(command_.name + " fails without a fault: " + whole.errors);
  first_checkpoint_ = contents(folder_ / command_.checkpoints / kFirst);
  if (first_checkpoint_.empty()) throw std::runtime_error("no checkpoint of the first step");
}

long Bench::calls(const std::string& kind) const {
  std::istringstream lines(counts_);
  std::string name;
  for (long count = 0; lines >> name >> count;) {
    if (name == kind) return count;
  }
  return 0;
}

void Bench::prepare() const {
  if (!command_.result.empty()) std::ofstream(folder_ / command_.result, std::ios::binary) << old_result_;
  if (!command_.page.empty()) fs::remove(folder_ / command_.page);
  if (command_.checkpoints.empty()) return;
  fs::remove_all(folder_ / command_.checkpoints);
  fs::create_directory(folder_ / command_.checkpoints);
  std::ofstream(folder_ / command_.checkpoints / kFirst, std::ios::binary) << first_checkpoint_;
}

Bench::Ending Bench::run(const Fault& fault, bool count) const {
  std::vector<std::string> words = {paths_.program.string()};
  words.insert(words.end(), command_.words.begin(), command_.words.end());
  std::vector<std::string> variables = environment(paths_, fault, count ? folder_ / "counts" : fs::path());
  const std::vector<char*> argv = pointers(words), envp = pointers(variables);
  const std::string folder = folder_.string();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) become(folder.c_str(), argv.data(), envp.data(), fault.address_space);
  Ending ending;
  int status = 0;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (!ending.hung && std::chrono::steady_clock::now() > end) {
      ending.hung = true;
      ::kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  if (WIFEXITED(status)) ending.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  ending.errors = contents(folder_ / "err");
  return ending;
}

// Of what it says on standard error.
std::string Bench::judge_words(const Ending& ending) const {
  const std::string errors = command_.checkpoints.empty() ? ending.errors : without_lost_checkpoints(ending.errors);
  const bool lost_checkpoint = errors.size() < ending.errors.size();
  if (lost_checkpoint && errors.empty() && (ending.code == 0 || ending.code == 8)) return {};
  const auto lines = std::count(errors.begin(), errors.end(), '\n');
  // The warning of a page that is lost comes by itself, or before the error of what else is.
  const bool lost_page = !command_.page.empty() && errors.starts_with("warning: ");
  const std::string error = lost_page ? errors.substr(errors.find('\n') + 1) : errors;
  if (ending.code == 0 && lines != 0) return "succeeds with words on standard error";
  if (lost_page && error.empty() != (ending.code == 8)) return "loses its page with the wrong exit code";
  if (ending.code != 0 && lines != (lost_page && !error.empty() ? 2 : 1)) {
    return "fails with " + std::to_string(lines) + " lines on standard error";
  }
  if (ending.code != 0 && !error.empty() && !error.starts_with("error[HS-")) return "fails without an error line";
  return {};
}

// What is in the folder of checkpoints goes on to the same result, and leaves nothing of a writer.
std::string Bench::judge_resumed() const {
  const Ending ending = run({}, false);
  if (ending.code != 0) return "cannot be gone on with: " + ending.errors;
  if (contents(folder_ / command_.result) != new_result_) return "goes on to another result";
  for (const auto& entry : fs::directory_iterator(folder_ / command_.checkpoints)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) return "leaves " + entry.path().string();
  }
  return {};
}

bool Bench::is_whole_model(const std::string& name) const {
  const std::string verify =
      "cd '" + folder_.string() + "' && '" + paths_.program.string() + "' verify '" + name + "' >/dev/null 2>&1";
  return std::system(verify.c_str()) == 0;
}

std::string Bench::judge(const Fault& fault, const Ending& ending) const {
  if (ending.hung) return "hangs";
  if (ending.signal != 0) return "ends by signal " + std::to_string(ending.signal);
  if (ending.code == kNotLoaded && fault.address_space > 0) return {};  // the program never began
  constexpr int kDocumented[] = {0, 2, 3, 4, 5, 6, 7, 8};
  if (std::find(std::begin(kDocumented), std::end(kDocumented), ending.code) == std::end(kDocumented))
    return "ends with exit code " + std::to_string(ending.code);
  if (const std::string wrong = judge_words(ending); !wrong.empty()) return wrong;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    constexpr const char* kExpected[] = {"tiny.csv", "model.safetensors", "out", "err", "counts"};
    const bool expected = name == command_.result || name == command_.page || name == command_.checkpoints ||
                          std::find(std::begin(kExpected), std::end(kExpected), name) != std::end(kExpected);
    // One that cannot be removed is left for the next run to remove.
    if (!expected && fault.kind != "unlink") return "leaves " + name;
  }
  const bool lost_page = !command_.page.empty() && ending.errors.starts_with("warning: ");
  const bool page = !command_.page.empty() && fs::exists(folder_ / command_.page);
  if (page && !contents(folder_ / command_.page).ends_with("</html>\n")) return "leaves a part of " + command_.page;
  if (ending.code == 0 && !command_.page.empty() && !page) return "succeeds without " + command_.page;
  if (command_.result.empty()) return {};
  const std::string result = contents(folder_ / command_.result);
  const bool of_fewer_steps = command_.ends_early && ending.code == 4 && is_whole_model(command_.result);
  if (result != new_result_ && result != old_result_ && !of_fewer_steps)
    return "leaves " + command_.result + " neither old nor new";
  if ((ending.code == 0 || lost_page) && result != new_result_)
    return "succeeds, and " + command_.result + " is the old one";
  return {};
}

std::string Bench::check(const Fault& fault, int& code) {
  prepare();
  const Ending ending = run(fault, false);
  code = ending.code;
  std::string wrong = judge(fault, ending);
  if (wrong.empty() && !command_.checkpoints.empty()) wrong = judge_resumed();
  if (wrong.empty()) return {};
  return command_.name + ", " + fault.text() + ": " + wrong + (ending.errors.empty() ? "" : "\n    ") + ending.errors;
}

void make_inputs(const Paths& paths, const fs::path& folder) {
  std::ofstream table(folder / "tiny.csv");
  table << "length,width,colour,kind\n";
  for (int i = 0; i < 12; ++i) {
    table << i % 5 << "." << i << "," << 3 * i % 7 << "," << (i % 3 == 0 ? "red" : "blue") << ","
          << (i % 2 == 0 ? "rose" : "oak") << "\n";
  }
  table.close();
  const std::string train = "cd '" + folder.string() + "' && '" + paths.program.string() +
                            "' train tiny.csv --hidden 3 --steps 3 --seed 5 --quiet --threads 1 "
                            "--out model.safetensors >out 2>err";
  if (std::system(train.c_str()) != 0)
    throw std::runtime_error("no model could be trained: " + contents(folder / "err"));
}

}  // namespace halfstep::faults
