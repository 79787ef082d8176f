#pragma once
// One vector for all pictures of a query: the mean of what hits are to be like, less the mean of what they are to be unlike, each
// picture as heavy as its weight says. That is Rocchio's feedback without a first query (J. J. Rocchio, Relevance feedback in information
// retrieval, 1971; Manning, Raghavan and Schuetze, Introduction to Information Retrieval, 2008, section 9.1.1):
//   q = 1/|like| x sum of weight x vector  -  1/|unlike| x sum of weight x vector,    then made as long as 1.
#include <vector>

#include "core/vector_index.h"
#include "search/searcher.h"

namespace magpie {

struct WeightedVector {
  Embedding vector;
  float weight = 1;
};

/// `like` is not empty. kBadInput: vectors of different lengths, or a result that is zero or not finite (what is liked is what is not).
Result<Embedding> rocchio(const std::vector<WeightedVector>& like, const std::vector<WeightedVector>& unlike);

/// The vectors of the collection's pictures, and uploaded ones as they came. kNotFound names a picture or region that has none.
Result<std::vector<WeightedVector>> vectors_of(const VectorSnapshot& vectors, const std::vector<QueryPicture>& pictures);

}  // namespace magpie
