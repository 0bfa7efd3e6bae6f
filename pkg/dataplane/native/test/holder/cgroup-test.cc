// Which pod a process belongs to, by the forms of cgroup paths that are in the field.
#include "holder/cgroup.h"

#include "test/core/check.h"

namespace {

using nsm::holder::parse_cgroup;
using nsm::holder::unit_of;

constexpr const char* kPod = "0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f";
constexpr const char* kSlicePod = "0b4a2c7e_1c1d_4c5a_9a51_5a3b6c7d8e9f";
constexpr const char* kOther = "11111111-2222-3333-4444-555555555555";
constexpr const char* kStatic = "8f3c1d2e4b5a69788796a5b4c3d2e1f0";

std::string pod(const std::string& lines, const std::string& root = "/") {
  return parse_cgroup(lines, root).pod;
}

}  // namespace

TEST("the pod is found in every form of path") {
  const std::string slices = "kubepods-burstable-pod" + std::string(kSlicePod) + ".slice";
  CHECK(pod("0::/kubepods.slice/kubepods-burstable.slice/" + slices + "/cri-containerd-1.scope") == kPod);
  CHECK(pod("0::/kubepods.slice/kubepods-pod" + std::string(kSlicePod) + ".slice/crio-1.scope") == kPod);
  CHECK(pod("0::/kubepods/besteffort/pod" + std::string(kPod) + "/1") == kPod);
  CHECK(pod("4:memory:/kubepods/pod" + std::string(kPod) + "/1\n0::/\n") == kPod);
  CHECK(pod("0::/kubepods/burstable/pod" + std::string(kStatic) + "/1") == kStatic);
  CHECK(pod("0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-"
            "kubepods-besteffort-pod" +
            std::string(kSlicePod) + ".slice/1") == kPod);
  CHECK(pod("0::/kubelet/kubepods/besteffort/pod" + std::string(kPod) + "/1") == kPod);
  CHECK(pod("0::/n1/kubepods/besteffort/pod" + std::string(kPod) + "/1", "/n1") == kPod);
}

TEST("what is not below the kubelet's root is in no pod") {
  const std::string pods = "/kubepods.slice/kubepods-pod" + std::string(kSlicePod) + ".slice/1";
  CHECK(pod("0::/user.slice/user-1000.slice/user@1000.service" + pods).empty());
  CHECK(pod("0::/system.slice/docker-1.scope" + pods).empty());
  CHECK(pod("0::/n2/kubepods/besteffort/pod" + std::string(kPod), "/n1").empty());
  CHECK(pod("0::/.." + pods).empty());
  CHECK(pod("0::/kubepods/x/y/pod" + std::string(kPod)).empty());
  CHECK(pod("0::/kubepods/besteffort/podium").empty());
  CHECK(pod("0::/kubepods/besteffort/pod../../../../../../../../../etc/passwd").empty());
  CHECK(pod("").empty() && pod("0::/").empty() && pod("nonsense").empty());
}

TEST("nobody names himself into another pod") {
  const std::string own = "0::/kubepods/besteffort/pod" + std::string(kPod) + "/1/kubepods/pod";
  CHECK(pod(own + kOther) == kPod);
  const std::string two =
      "5:pids:/kubepods/pod" + std::string(kOther) + "/1\n4:cpu:/kubepods/pod" + std::string(kPod) + "/1\n";
  CHECK(parse_cgroup(two, "/").disputed);
  CHECK(!parse_cgroup(own + kOther, "/").disputed);
}

TEST("the path is the v2 one, or the most specific v1 one") {
  CHECK(parse_cgroup("0::/user.slice\n", "/").path == "/user.slice");
  CHECK(parse_cgroup("9:cpu:/a/b\n8:pids:/a\n0::/\n", "/").path == "/a/b");
  CHECK(parse_cgroup("", "/").path.empty());
}

TEST("the unit is the outermost service or scope, or the container") {
  CHECK(unit_of("/system.slice/docker-1.scope/init.scope") == "/system.slice/docker-1.scope");
  CHECK(unit_of("/system.slice/cron.service") == "/system.slice/cron.service");
  CHECK(unit_of("/docker/1/x/y") == "/docker/1");
  CHECK(unit_of("/") == "/" && unit_of("").empty());
}
