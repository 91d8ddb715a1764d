// One run of the program under a fault, and what must hold after any.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace halfstep::faults {

struct Fault {
  std::string kind;  // as faults.cpp names them; empty: none
  long at = 0;
  bool for_ever = false;
  int error = 0;                  // errno; 0 for short reads and writes
  std::size_t address_space = 0;  // limit in bytes; 0: none
  std::string text() const;
};

struct Command {
  std::string name;
  std::vector<std::string> words;
  std::string result;     // the file it writes; empty: none
  bool large = false;     // runs long, for the sake of its threads
  std::string page = {};  // that it writes beside the result, other bytes each time; empty: none
  // Folder of checkpoints, a run's first already there; what is there after a fault goes on to the same result. Empty:
  // none.
  std::string checkpoints = {};
  bool ends_early = false;  // where a checkpoint cannot be saved, with a whole model of fewer steps
};

struct Paths {
  std::filesystem::path program, preload;
};

// A folder for runs of one command: it has the inputs, and an older result where the command writes one. What a run
// without a fault makes of it is known.
class Bench {
 public:
  Bench(const Paths& paths, const Command& command, std::filesystem::path folder);
  // Calls of a kind in a run without a fault.
  long calls(const std::string& kind) const;
  // What is wrong with a run under this fault; empty: nothing. `code` is its exit code, where it has one.
  std::string check(const Fault& fault, int& code);

 private:
  struct Ending {
    int code = -1, signal = 0;
    bool hung = false;
    std::string errors;
  };
  void prepare() const;
  void make_first_checkpoint();
  std::string judge_words(const Ending& ending) const;
  std::string judge_resumed() const;
  bool is_whole_model(const std::string& name) const;
  Ending run(const Fault& fault, bool count) const;
  std::string judge(const Fault& fault, const Ending& ending) const;

  Paths paths_;
  Command command_;
  std::filesystem::path folder_;
  std::string counts_, old_result_, new_result_, first_checkpoint_;
};

// Makes what commands read: tiny.csv, model.safetensors.
void make_inputs(const Paths& paths, const std::filesystem::path& folder);

}  // namespace halfstep::faults
