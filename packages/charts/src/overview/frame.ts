/** Where things stand on the slide: the rectangle of the loop, and what runs outside of it. */
import { HUB } from './column.js';

export const PANEL = { x: 284, y: 146, width: 688, height: 416 };
export const TOP = 222;
export const RAIL = HUB.y;
export const BOTTOM = 452;
export const RIGHT = 866;
export const OUTSIDE = 940;
export const BELOW = 520;
export const HOME = 260;
export const SIZE = 13;
