/** All groups, in the order in which they are run and reported. */
import type { CaseGroup } from '../contract/case.js';
import { disconnects } from './disconnects.js';
import { eightBit } from './eight-bit.js';
import { floods } from './floods.js';
import { limits } from './limits.js';
import { pipelining } from './pipelining.js';
import { realClients } from './real-clients.js';
import { replies } from './replies.js';
import { sequence } from './sequence.js';
import { size } from './size.js';
import { smuggling } from './smuggling.js';
import { syntax } from './syntax.js';
import { transparency } from './transparency.js';

export const serverGroups: readonly CaseGroup[] = [
  sequence,
  syntax,
  limits,
  replies,
  transparency,
  smuggling,
  pipelining,
  size,
  eightBit,
  realClients,
  disconnects,
  floods,
];
