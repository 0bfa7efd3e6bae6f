// What nsm-cni needs of a C library: its start, memory functions, and a few system calls with the names and
// the errno of POSIX. It runs at the start of every pod of a node, where the whole of a C library would only
// cost time and size. Builds with sanitizers use the machine's library instead.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <type_traits>

// Or the compiler would make the memory functions below call themselves.
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

int main(int argc, char** argv);

namespace {

int last_error = 0;
char** environment = nullptr;

#if defined(__x86_64__)
long raw(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
// The kernel leaves argc, argv and the environment on the stack.
asm(".text\n.global _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start_from\n");
#elif defined(__aarch64__)
long raw(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
asm(".text\n.global _start\n_start:\n mov x29, #0\n mov x0, sp\n bl start_from\n");
#else
#error "nsm-cni knows the system calls of x86-64 and arm64"
#endif

template <typename T>
long argument(T value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<long>(value);
  } else {
    return reinterpret_cast<long>(value);
  }
}

template <typename... Arguments>
long call(long number, Arguments... arguments) {
  long values[6] = {argument(arguments)...};
  const long result = raw(number, values[0], values[1], values[2], values[3], values[4], values[5]);
  if (result >= 0 || result < -4095) return result;
  last_error = static_cast<int>(-result);
  return -1;
}

}  // namespace

extern "C" {

int* __errno_location() noexcept { return &last_error; }

void _exit(int status) {
  for (;;) call(SYS_exit_group, status);
}

[[noreturn]] void start_from(long* stack) {
  char** argv = reinterpret_cast<char**>(stack + 1);
  environment = argv + *stack + 1;
  _exit(main(static_cast<int>(*stack), argv));
}

char* getenv(const char* name) noexcept {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    std::size_t at = 0;
    while (name[at] != '\0' && (*entry)[at] == name[at]) ++at;
    if (name[at] == '\0' && (*entry)[at] == '=') return *entry + at + 1;
  }
  return nullptr;
}

void* memcpy(void* to, const void* from, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size; ++at) static_cast<char*>(to)[at] = static_cast<const char*>(from)[at];
  return to;
}

void* memset(void* to, int value, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size; ++at) static_cast<char*>(to)[at] = static_cast<char>(value);
  return to;
}

int memcmp(const void* left, const void* right, std::size_t size) noexcept {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return a[at] - b[at];
  }
  return 0;
}

void* memchr(const void* in, int value, std::size_t size) noexcept {
  auto* bytes = const_cast<unsigned char*>(static_cast<const unsigned char*>(in));
  for (std::size_t at = 0; at < size; ++at) {
    if (bytes[at] == static_cast<unsigned char>(value)) return bytes + at;
  }
  return nullptr;
}

std::size_t strlen(const char* text) noexcept {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

int open(const char* path, int flags, ...) {
  return static_cast<int>(call(SYS_openat, AT_FDCWD, path, flags, 0));
}
int close(int fd) { return static_cast<int>(call(SYS_close, fd)); }
ssize_t read(int fd, void* to, std::size_t size) { return call(SYS_read, fd, to, size); }
ssize_t write(int fd, const void* from, std::size_t size) { return call(SYS_write, fd, from, size); }
int access(const char* path, int mode) noexcept {
  return static_cast<int>(call(SYS_faccessat, AT_FDCWD, path, mode));
}
int fstat(int fd, struct stat* info) noexcept { return static_cast<int>(call(SYS_fstat, fd, info)); }
int socket(int family, int type, int protocol) noexcept {
  return static_cast<int>(call(SYS_socket, family, type, protocol));
}
int connect(int fd, const sockaddr* to, socklen_t size) {
  return static_cast<int>(call(SYS_connect, fd, to, size));
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  return static_cast<int>(call(SYS_setsockopt, fd, level, name, value, size));
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) { return call(SYS_sendmsg, fd, message, flags); }
ssize_t recv(int fd, void* to, std::size_t size, int flags) {
  return call(SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
}
int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  return static_cast<int>(call(SYS_ppoll, fds, count, timeout_ms < 0 ? nullptr : &timeout, nullptr, 0));
}
int clock_gettime(clockid_t clock, timespec* now) noexcept {
  return static_cast<int>(call(SYS_clock_gettime, clock, now));
}

}  // extern "C"
