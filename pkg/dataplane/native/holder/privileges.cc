#include "holder/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace nsm::holder {
namespace {

using CapabilitySet = std::uint64_t;

constexpr int kLockedHeapBytes = 16 * 1024 * 1024;  // only touched pages cost

constexpr CapabilitySet bit(int capability) { return CapabilitySet{1} << capability; }

constexpr CapabilitySet kHolderCapabilities = bit(CAP_NET_ADMIN) | bit(CAP_SYS_ADMIN) | bit(CAP_SYS_PTRACE);

Status failed(const char* what) {
  return {errno, std::string("cannot ") + what + ": " + std::strerror(errno)};
}

Status limit_bounding_set(CapabilitySet keep) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if ((keep & bit(capability)) || prctl(PR_CAPBSET_READ, capability) == 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability) != 0) return failed("limit the capability bounding set");
  }
  return {};
}

// Sets permitted and effective to `keep`, inheritable and ambient to nothing.
Status set_capabilities(CapabilitySet keep) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int word = 0; word < 2; ++word) {
    data[word].effective = data[word].permitted = static_cast<std::uint32_t>(keep >> (32 * word));
  }
  if (syscall(SYS_capset, &header, data) == 0) return {};
  Status status = failed("set the capabilities of the holder");
  status.text += "; run it as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_SYS_PTRACE";
  return status;
}

}  // namespace

Status keep_holder_privileges(gid_t group) {
  if (setgroups(1, &group) != 0) return failed("join the group of nsmd");
  if (Status status = limit_bounding_set(kHolderCapabilities); !status.ok()) return status;
  if (Status status = set_capabilities(kHolderCapabilities); !status.ok()) return status;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? Status{} : failed("renounce new privileges");
}

Status drop_all_privileges(uid_t uid) {
  if (Status status = limit_bounding_set(0); !status.ok()) return status;
  if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) {
    return failed("change to the engine's user");
  }
  if (Status status = set_capabilities(0); !status.ok()) return status;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? Status{} : failed("renounce new privileges");
}

void set_limits() {
  const rlimit none{0, 0};
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_MEMLOCK, &all);  // needs CAP_SYS_RESOURCE; protect_memory works without it, too
  rlimit descriptors;
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

bool protect_memory() {
  prctl(PR_SET_DUMPABLE, 0);
  rlimit lockable;
  const bool unlimited = getrlimit(RLIMIT_MEMLOCK, &lockable) == 0 && lockable.rlim_cur == RLIM_INFINITY;
  // Under a limit only existing memory can be locked, so the heap is made large enough for
  // the objects of thousands of wires beforehand.
  mallopt(M_MMAP_THRESHOLD, 2 * kLockedHeapBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * kLockedHeapBytes);
  void* volatile heap = std::malloc(kLockedHeapBytes);
  std::free(heap);
  return mlockall(MCL_CURRENT | MCL_ONFAULT | (unlimited ? MCL_FUTURE : 0)) == 0;
}

}  // namespace nsm::holder
