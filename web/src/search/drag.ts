/** The kind of data that a picture dragged from our own results carries: its id. */
export const kDragType = 'application/x-magpie-image'
