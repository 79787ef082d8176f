#pragma once
// What a worker's answer means for the document that was sent to it.
#include "analyse/analysed_image.h"
#include "pipeline/finished.h"

namespace magpie::pipeline {

/// A child that cannot be started, or a shutdown: it says nothing about the document, which is to be sent again another time.
bool is_of_the_pool(const Error& error);

/// The document ends as a failure: broken, too dear, or the end of its worker.
void give_up(Finished& finished, const Error& error);

/// The document is a picture. What was found in it becomes its outcome, unless it is a dot that only stands in for one.
void take_image(Finished& finished, analyse::AnalysedImage image);

}  // namespace magpie::pipeline
