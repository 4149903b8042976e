/**
 * The lists of our service extensions, in the order in which EHLO lists them. A new extension is a file of its own and
 * a row here.
 */
import { auth } from './auth.js';
import { binaryMime } from './binary-mime.js';
import { chunking } from './chunking.js';
import { deliverBy } from './deliver-by.js';
import { dsn } from './dsn.js';
import { eightBitMime } from './eight-bit-mime.js';
import { enhancedStatusCodes } from './enhanced-status-codes.js';
import { etrn } from './etrn.js';
import type { ServiceExtension } from './extension.js';
import { futureRelease } from './future-release.js';
import { help } from './help.js';
import { limits } from './limits.js';
import { mtPriority } from './mt-priority.js';
import { noSoliciting } from './no-soliciting.js';
import { pipelining } from './pipelining.js';
import { requireTls } from './require-tls.js';
import { rrvs } from './rrvs.js';
import { size } from './size.js';
import { smtpUtf8 } from './smtp-utf8.js';
import { startTls } from './start-tls.js';
import { xclient } from './xclient.js';
import { xforward } from './xforward.js';

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
