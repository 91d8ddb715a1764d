// Loads a plug-in that uses libhalfstep.so, lets it train, and unloads it, again and again: no memory, thread,
// descriptor or mapping may stay behind.
//   plugin_host PLUGIN [loads]
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

long entries(const char* folder) {
  DIR* const listed = opendir(folder);
  if (listed == nullptr) return -1;
  long count = 0;
  while (readdir(listed) != nullptr) ++count;
  closedir(listed);
  return count;
}

long mappings() {
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return -1;
  long lines = 0;
  for (int c = 0; (c = std::getc(maps)) != EOF;) lines += c == '\n' ? 1 : 0;
  std::fclose(maps);
  return lines;
}

long resident_kib() {
  long pages = 0, resident = 0;
  std::FILE* const statm = std::fopen("/proc/self/statm", "r");
  if (statm == nullptr || std::fscanf(statm, "%ld %ld", &pages, &resident) != 2) resident = -1;
  if (statm != nullptr) std::fclose(statm);
  return resident * sysconf(_SC_PAGESIZE) / 1024;
}

struct Held {
  long threads, descriptors, mappings, heap, resident_kib;
};

Held held() {
  usleep(20000);  // threads that were joined are listed a moment longer
  return {entries("/proc/self/task"), entries("/proc/self/fd"), mappings(), static_cast<long>(mallinfo2().uordblks),
          resident_kib()};
}

void print(const char* when, const Held& h) {
  std::printf("%s: %ld threads, %ld descriptors, %ld mappings, %ld bytes of the heap, %ld KiB resident\n", when,
              h.threads - 2, h.descriptors - 3, h.mappings, h.heap, h.resident_kib);
}

bool load_and_unload(const char* path, const char* threads) {
  void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  using Run = int(const char*, double*);
  Run* const run = reinterpret_cast<Run*>(dlsym(plugin, "plugin_run"));
  double accuracy = 0;
  const bool ok = run != nullptr && run(threads, &accuracy) == 0 && accuracy > 0.9;
  if (!ok) std::fprintf(stderr, "the plug-in failed; accuracy %.3f\n", accuracy);
  return dlclose(plugin) == 0 && ok;
}

int grows(const char* what, long before, long after, long allowed) {
  if (after <= before + allowed) return 0;
  std::fprintf(stderr, "%s: %ld, and later %ld\n", what, before, after);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return EXIT_FAILURE;
  const int loads = argc > 2 ? std::atoi(argv[2]) : 100;
  print("at first", held());
  Held early{};
  for (int i = 0; i < loads; ++i) {
    if (!load_and_unload(argv[1], i % 2 == 0 ? "4" : "1")) return EXIT_FAILURE;
    if (i == 29) print("after 30 loads", early = held());
  }
  const Held late = held();
  print("at last", late);
  const int grown = grows("threads", early.threads, late.threads, 0) +
                    grows("descriptors", early.descriptors, late.descriptors, 0) +
                    grows("mappings", early.mappings, late.mappings, 4) +
                    grows("bytes of the heap", early.heap, late.heap, 65536) +  // oneTBB's settle in the end
                    grows("KiB resident", early.resident_kib, late.resident_kib, 4096);
  return grown == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
