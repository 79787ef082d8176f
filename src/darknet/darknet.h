#pragma once
// Networks of Darknet's files (.cfg, .weights), calculated by OpenCV. A library of its own, libmagpie_darknet.so, which is opened at run
// time by whoever has such files (model/darknet_graph.h): linked, OpenCV would cost every command its start-up. So nothing of C++ crosses
// this line, and no exception.
#include <cstddef>

extern "C" {

struct MagpieDarknet;

/// The network, or null with `error` saying why, cut at `error_bytes` and ended by 0. The caller has looked through the .cfg
/// (model/darknet_cfg.h); the .weights may be anything, and those of another network are refused.
MagpieDarknet* magpie_darknet_open(const char* cfg_file, const char* weights_file, int threads, char* error, std::size_t error_bytes);
void magpie_darknet_close(MagpieDarknet* network);

/// `planes` are 3 × height × width floats. How many outputs it has, or -1 with `error`.
int magpie_darknet_run(MagpieDarknet* network, const float* planes, int width, int height, char* error, std::size_t error_bytes);

/// An output of the last run: rows × columns floats, the network's own until the next. Each row is a box: x, y of its middle, width, height
/// in shares of the input, how sure it is that there is something, and for each class how sure it is of it, that included.
const float* magpie_darknet_output(const MagpieDarknet* network, int number, std::size_t* rows, std::size_t* columns);
}
