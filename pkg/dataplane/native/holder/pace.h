// How fast new connections of one account reach nsmd: a burst at once, the rest at a steady rate. So
// who connects and closes in a loop slows down itself alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_map>

namespace nsm::holder {

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr double kBurst = 256;
  static constexpr double kPerSecond = 100;

  // Takes the right to one connection. False: there is none now.
  bool take(const std::string& account, Time now) {
    if (buckets_.size() >= kMaxBuckets) forget_full(now);
    const auto [found, is_new] = buckets_.try_emplace(account, Bucket{kBurst, now});
    Bucket& bucket = found->second;
    bucket.left = level(bucket, now);
    bucket.at = now;
    if (bucket.left < 1) return false;
    --bucket.left;
    return true;
  }

 private:
  static constexpr std::size_t kMaxBuckets = 1024;

  struct Bucket {
    double left;
    Time at;
  };

  static double level(const Bucket& bucket, Time now) {
    const std::chrono::duration<double> passed = now - bucket.at;
    return std::min(kBurst, bucket.left + passed.count() * kPerSecond);
  }

  // A full bucket says nothing that a new one does not say. It is full after a few seconds of rest.
  void forget_full(Time now) {
    std::erase_if(buckets_, [now](const auto& entry) { return level(entry.second, now) >= kBurst; });
  }

  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace nsm::holder
