// Reads every record with simdjson on-demand: owner, date, and each answer's id and values, and builds nothing.
// The limit for any program that reads JSON one value after another.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "simdjson.h"

using namespace simdjson;

static double cpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long peakRssKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, 6, "VmHWM:") == 0) return std::stol(line.substr(6));
  }
  return 0;
}

int main(int, char **argv) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpuSeconds();
  const padded_string json = padded_string::load(argv[1]);
  ondemand::parser parser;
  ondemand::document document = parser.iterate(json);
  uint64_t records = 0, answers = 0, bytes = 0;
  double sum = 0;
  for (ondemand::object record : document["records"].get_array()) {
    records++;
    bytes += std::string_view(record["ownerId"]).size() + std::string_view(record["lastUpdateDate"]).size();
    for (ondemand::object answer : record["fields"].get_array()) {
      answers++;
      bytes += std::string_view(answer["id"]).size();
      ondemand::value values = answer["values"];
      if (values.is_null()) continue;
      for (ondemand::value value : values.get_array()) {
        if (value.type() == ondemand::json_type::number) sum += double(value);
        else bytes += std::string_view(value).size();
      }
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fprintf(stderr, "%s: %llu bytes of text, sum %g\n", get_active_implementation()->name().c_str(),
          static_cast<unsigned long long>(bytes), sum);
  printf("{\"records\":%llu,\"answers\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"peakRssBytes\":%ld}\n",
         static_cast<unsigned long long>(records), static_cast<unsigned long long>(answers), seconds.count(),
         cpuSeconds() - cpu, peakRssKilobytes() * 1024);
}
