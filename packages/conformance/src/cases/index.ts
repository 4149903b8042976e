/** All groups, in the order in which they are run and reported. */
import type { CaseGroup } from '../contract/case.js';
import { auth } from './auth/index.js';
import { limits } from './commands/limits.js';
import { parameters } from './commands/parameters.js';
import { pipelining } from './commands/pipelining.js';
import { refusals } from './commands/refusals.js';
import { replies } from './commands/replies.js';
import { starttls } from './commands/starttls.js';
import { disconnects } from './connections/disconnects.js';
import { floods } from './connections/floods.js';
import { realClients } from './connections/real-clients.js';
import { dsn } from './dsn.js';
import { lmtp } from './lmtp.js';
import { chunking } from './mail-data/chunking.js';
import { eightBit } from './mail-data/eight-bit.js';
import { size } from './mail-data/size.js';
import { smtpUtf8 } from './mail-data/smtp-utf8.js';
import { smuggling } from './mail-data/smuggling.js';
import { stored } from './mail-data/stored.js';
import { transparency } from './mail-data/transparency.js';
import { sequence } from './sequence/index.js';
import { syntax } from './syntax/index.js';

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
