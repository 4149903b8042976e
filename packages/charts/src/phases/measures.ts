/** Pixels, and the size of the text in bands. */
export const ROW = 18;
export const SIZE = 12;
export const MARGIN = 26;
export const HEAD = 112;
export const LANE_STEP = 16;
/** From one line to the next, where they meet a mark. */
export const PORT_STEP = 9;
