#include "darknet/darknet.h"

#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct MagpieDarknet {
  cv::dnn::Net net;
  std::vector<std::string> names;  // of the outputs
  std::vector<cv::Mat> outputs;
};

namespace {

constexpr std::uintmax_t kCfgBytesMax = 1 << 20;

void say(const char* words, char* error, std::size_t error_bytes) {
  if (error_bytes == 0) return;
  const std::size_t size = std::min(std::strlen(words), error_bytes - 1);
  std::memcpy(error, words, size);
  error[size] = 0;
}

std::string read_cfg(const std::string& file) {
  if (std::filesystem::file_size(file) > kCfgBytesMax) throw std::runtime_error("its .cfg has over 1 MB");
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The whole numbers of "0,1, 2".
std::vector<int> numbers_of(std::string_view text) {
  std::vector<int> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int number = 0;
    const auto [behind, fault] = std::from_chars(at, end, number);
    if (fault == std::errc()) numbers.push_back(number);
    at = fault == std::errc() ? behind : at + 1;
  }
  return numbers;
}

/// OpenCV takes a mask for an index without looking.
void check_masks(std::string_view cfg) {
  std::vector<int> mask;
  int anchors = 1;
  const auto end_section = [&] {
    for (const int one : mask) {
      if (one < 0 || one >= anchors)
        throw std::runtime_error("mask=" + std::to_string(one) + " in its .cfg: there are num=" + std::to_string(anchors) + " anchors");
    }
    mask.clear();
    anchors = 1;
  };
  while (!cfg.empty()) {
    const std::size_t end = cfg.find('\n');
    std::string line;
    for (const char c : cfg.substr(0, end)) {
      if (c != ' ' && c != '\t' && c != '\r') line += c;
    }
    if (line.starts_with('[')) end_section();
    if (line.starts_with("mask=")) mask = numbers_of(std::string_view(line).substr(5));
    if (line.starts_with("num=")) {
      const std::vector<int> given = numbers_of(std::string_view(line).substr(4));
      anchors = given.empty() ? 0 : given.front();
    }
    cfg.remove_prefix(end == std::string_view::npos ? cfg.size() : end + 1);
  }
  end_section();
}

/// Of the .weights: major, minor, revision, and how many pictures it has seen, which takes eight bytes since 0.2.
std::size_t header_bytes(const std::string& file) {
  std::int32_t version[3] = {};
  std::ifstream in(file, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(version), sizeof version)) throw std::runtime_error("its .weights are empty");
  return sizeof version + (std::int64_t{version[0]} * 10 + version[1] >= 2 ? 8 : 4);
}

/// OpenCV reads on behind the end of a file that is too short, and leaves what is behind the end of the network.
void check_weights(cv::dnn::Net& net, std::size_t header, const std::string& file) {
  std::size_t floats = 0;
  for (const std::string& name : net.getLayerNames()) {
    const cv::Ptr<cv::dnn::Layer> layer = net.getLayer(net.getLayerId(name));
    if (layer->type == "Region") continue;  // its anchors are in the .cfg
    for (const cv::Mat& blob : layer->blobs) floats += blob.total();
  }
  const std::uintmax_t wanted = header + floats * sizeof(float), bytes = std::filesystem::file_size(file);
  if (bytes != wanted)
    throw std::runtime_error("its .weights have " + std::to_string(bytes) + " bytes, and the .cfg is of a network of " +
                             std::to_string(wanted));
}

void open(MagpieDarknet& network, const std::string& cfg_file, const std::string& weights_file, int threads) {
  const std::string cfg = read_cfg(cfg_file);
  check_masks(cfg);
  const std::size_t header = header_bytes(weights_file);
  cv::setNumThreads(threads);
  network.net = cv::dnn::readNetFromDarknet(cfg_file, weights_file);
  if (network.net.empty()) throw std::runtime_error("no network in its .cfg");
  check_weights(network.net, header, weights_file);
  network.net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
  network.net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  network.names = network.net.getUnconnectedOutLayersNames();
}

}  // namespace

extern "C" {

MagpieDarknet* magpie_darknet_open(const char* cfg_file, const char* weights_file, int threads, char* error, std::size_t error_bytes) {
  try {
    auto network = std::make_unique<MagpieDarknet>();
    open(*network, cfg_file, weights_file, threads);
    return network.release();
  } catch (const cv::Exception& fault) { say(fault.err.c_str(), error, error_bytes); } catch (const std::exception& fault) {
    say(fault.what(), error, error_bytes);
  }
  return nullptr;
}

void magpie_darknet_close(MagpieDarknet* network) { delete network; }

int magpie_darknet_run(MagpieDarknet* network, const float* planes, int width, int height, char* error, std::size_t error_bytes) {
  try {
    const int sides[] = {1, 3, height, width};
    network->net.setInput(cv::Mat(4, sides, CV_32F, const_cast<float*>(planes)));  // read only
    network->outputs.clear();
    network->net.forward(network->outputs, network->names);
    for (const cv::Mat& output : network->outputs) {
      if (output.dims != 2 || output.type() != CV_32F || !output.isContinuous())
        throw std::runtime_error("an output is no list of boxes: does the .cfg end in [yolo]?");
    }
    return static_cast<int>(network->outputs.size());
  } catch (const cv::Exception& fault) { say(fault.err.c_str(), error, error_bytes); } catch (const std::exception& fault) {
    say(fault.what(), error, error_bytes);
  }
  return -1;
}

const float* magpie_darknet_output(const MagpieDarknet* network, int number, std::size_t* rows, std::size_t* columns) {
  const cv::Mat& output = network->outputs[static_cast<std::size_t>(number)];
  *rows = static_cast<std::size_t>(output.rows);
  *columns = static_cast<std::size_t>(output.cols);
  return output.ptr<float>();
}
}
