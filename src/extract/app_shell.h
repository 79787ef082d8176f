#pragma once
// Whether a page is the shell of an app: it leaves what it says to scripts, so that only a browser would see it. Precision is not asked
// for here: a crawl renders such a page, and stops rendering pages of its kind when that brings nothing (pipeline/render_memory.h).
#include "extract/page_class.h"

namespace magpie {

/// No product, hardly a picture, at most kShapeTextBytes of text, and either an element where apps are mounted (id "root", "__next", …),
/// a request to switch scripts on, or no text to speak of beside a script file. Thread-safe. Cost: nothing for pages with a product,
/// pictures or text; else a walk over at most 5,000 nodes.
bool is_app_shell(const PageToClassify& page);

}  // namespace magpie
