// Runs a program and says how much memory it held at most: peak_memory FILE PROGRAM ARGS... writes KiB to FILE and ends
// as the program did.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const pid_t child = fork();
  if (child == 0) {
    execv(arguments[2], arguments + 2);
    _exit(127);
  }
  int status = 0;
  rusage used = {};
  if (child < 0 || wait4(child, &status, 0, &used) != child) return 1;
  std::FILE* const file = std::fopen(arguments[1], "w");
  if (file == nullptr) return 1;
  std::fprintf(file, "%ld\n", used.ru_maxrss);
  std::fclose(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
