/**
 * The lists of our service extensions, in the order in which EHLO lists them. A new extension is a file of its own and
 * a row here.
 */

import type { ServiceExtension } from './contract/extension.js';
import { deliverBy } from './delivery/deliver-by.js';
import { dsn } from './delivery/dsn.js';
import { futureRelease } from './delivery/future-release.js';
import { mtPriority } from './delivery/mt-priority.js';
import { noSoliciting } from './delivery/no-soliciting.js';
import { requireTls } from './delivery/require-tls.js';
import { rrvs } from './delivery/rrvs.js';
import { binaryMime } from './mail-data/binary-mime.js';
import { chunking } from './mail-data/chunking.js';
import { eightBitMime } from './mail-data/eight-bit-mime.js';
import { size } from './mail-data/size.js';
import { smtpUtf8 } from './mail-data/smtp-utf8.js';
import { auth } from './session/auth.js';
import { enhancedStatusCodes } from './session/enhanced-status-codes.js';
import { etrn } from './session/etrn.js';
import { help } from './session/help.js';
import { limits } from './session/limits.js';
import { pipelining } from './session/pipelining.js';
import { startTls } from './session/start-tls.js';
import { xclient } from './session/xclient.js';
import { xforward } from './session/xforward.js';

/**
 * What a server offers by default, as things stand: all that the protocol alone can keep. The others are promises
 * of the application, to deliver in time or to hold, which it makes by listing them too.
 */
export const standardExtensions: readonly ServiceExtension[] = [
  pipelining,
  size,
  eightBitMime,
  enhancedStatusCodes,
  chunking,
  binaryMime,
  smtpUtf8,
  dsn,
  startTls,
  auth,
  xclient,
  xforward,
  help,
];

/** All of ours, for a client: without bounds of its own, for those that count are the server's. */
export const knownExtensions: readonly ServiceExtension[] = [
  ...standardExtensions,
  deliverBy(),
  futureRelease({ maximumSeconds: 999_999_999, maximumDate: '9999-12-31T23:59:59Z' }),
  mtPriority(),
  requireTls,
  rrvs,
  limits(),
  noSoliciting({ keywords: [] }),
  etrn,
];
