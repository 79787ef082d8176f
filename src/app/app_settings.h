#pragma once
// All settings of the program, group by group as the folders declare them.
#include "base/settings.h"
#include "crawl/settings.h"
#include "search/searcher.h"

namespace magpie {

struct WorkerSettings {
  Setting<std::int64_t> processes{"worker.processes", 0, {0, 256}, "Worker processes that read pages and pictures; 0: one a core."};
  Setting<std::int64_t> memory{"worker.memory",
                               std::int64_t{1} << 30,
                               {std::int64_t{256} << 20, std::int64_t{1} << 40},
                               "Private memory one worker may use; over it its picture fails."};
  Setting<bool> sandbox{"worker.sandbox", true, {}, "Shut workers in by seccomp and landlock; off only where the kernel has neither."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(processes), each(memory), each(sandbox);
  }
};

struct ServerSettings {
  Setting<std::string> host{"serve.host", "127.0.0.1", {}, "Address to listen on. Beyond loopback callers need keys (magpie keys)."};
  Setting<std::int64_t> port{"serve.port", 8080, {1, 65'535}, "Port to listen on."};
  Setting<bool> keys{"serve.keys", false, {}, "Ask for keys on loopback, too: for a server behind a proxy on the same machine."};
  Setting<bool> open{"serve.open", false, {}, "Let anybody read without a key; what changes something needs one all the same."};
  Setting<std::int64_t> rate{
      "serve.rate", 50, {0, 1'000'000}, "Requests a second of one key, or of one address without, while keys are needed; 0: no limit."};
  Setting<std::int64_t> burst{
      "serve.burst", 400, {1, 1'000'000}, "Requests at once of one that was quiet; an uploaded picture counts ten."};
  Setting<std::int64_t> threads{"serve.threads", 0, {0, 256}, "Threads that answer requests; 0: one a core."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(host), each(port), each(keys), each(open), each(rate), each(burst), each(threads);
  }
};

struct ModelSettings {
  Setting<std::string> embedder{
      "model.embedder",
      "",
      {},
      "Model (magpie models list) whose network makes picture vectors. Empty: the collection's own; a new one's is "
      "efficientnet-lite0-int8. To change it: magpie rebuild --model."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(embedder);
  }
};

struct AnalyseSettings {
  Setting<std::string> detector{
      "analyse.detector",
      "",
      {},
      "Model (magpie models list) whose network looks for things in pictures, each of which can then be searched by. "
      "Empty: ssd-open-images, where it is installed. none: nobody looks, and a picture costs some 10 ms of CPU time less."};
  Setting<bool> compare{
      "analyse.compare",
      true,
      {},
      "Compare each picture with those most like it, so that crops, frames, turns and marks are grouped as copies. false: by hashes "
      "alone, which tell re-encoded, scaled and mirrored ones."};
  Setting<bool> inherit_words{"analyse.inherit_words",
                              true,
                              {},
                              "Let pictures with few words be found by words of pictures that look like them (marked as inherited). false: "
                              "no more inherit any; what "
                              "they inherited before stays."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(detector);
    each(compare);
    each(inherit_words);
  }
};

struct BridgeSettings {
  Setting<std::string> text_model{
      "bridge.text_model",
      "",
      {},
      "Model (magpie models list) that tells what words mean, so that they also find pictures by looks. Empty: multilingual-e5-small, "
      "where it is installed. none: words find words."};
  Setting<std::int64_t> texts{"bridge.texts",
                              10'000,
                              {100, 100'000},
                              "Different texts that a bridge is learnt from at most; one costs some 40 ms of CPU time, once."};
  Setting<bool> train{"bridge.train", true, {}, "Let magpie serve learn the bridge, and again when the collection has grown by half."};
  template <class Visitor>
  void visit(Visitor&& each) {
    each(text_model), each(texts), each(train);
  }
};

struct AppSettings {
  crawl::CrawlSettings crawl;
  SearchSettings search;
  WorkerSettings worker;
  ServerSettings server;
  ModelSettings model;
  AnalyseSettings analyse;
  BridgeSettings bridge;

  /// The registry refers to these settings; they must outlive it.
  void add_to(SettingsRegistry& registry) {
    registry.add(crawl);
    registry.add(search);
    registry.add(worker);
    registry.add(server);
    registry.add(model);
    registry.add(analyse);
    registry.add(bridge);
  }
};

}  // namespace magpie
