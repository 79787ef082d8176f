#include "darknet/darknet.h"

#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct MagpieDarknet {
  cv::dnn::Net net;
  std::vector<std::string> names;  // of the outputs
  std::vector<cv::Mat> outputs;
};

namespace {

void say(const char* words, char* error, std::size_t error_bytes) {
  if (error_bytes == 0) return;
  const std::size_t size = std::min(std::strlen(words), error_bytes - 1);
  std::memcpy(error, words, size);
  error[size] = 0;
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
