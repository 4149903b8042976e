/** All groups, in the order in which they are run and reported. */
import type { CaseGroup } from '../contract/case.js';
import { auth } from './auth/index.js';
import { chunking } from './chunking.js';
import { disconnects } from './disconnects.js';
import { dsn } from './dsn.js';
import { eightBit } from './eight-bit.js';
import { floods } from './floods.js';
import { limits } from './limits.js';
import { lmtp } from './lmtp.js';
import { parameters } from './parameters.js';
import { pipelining } from './pipelining.js';
import { realClients } from './real-clients.js';
import { refusals } from './refusals.js';
import { replies } from './replies.js';
import { sequence } from './sequence/index.js';
import { size } from './size.js';
import { smtpUtf8 } from './smtp-utf8.js';
import { smuggling } from './smuggling.js';
import { starttls } from './starttls.js';
import { stored } from './stored.js';
import { syntax } from './syntax/index.js';
import { transparency } from './transparency.js';

export const serverGroups: readonly CaseGroup[] = [
  sequence,
  refusals,
  syntax,
  limits,
  replies,
  transparency,
  stored,
  smuggling,
  pipelining,
  size,
  eightBit,
  smtpUtf8,
  dsn,
  parameters,
  chunking,
  starttls,
  auth,
  lmtp,
  realClients,
  disconnects,
  floods,
];
