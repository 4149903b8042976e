/** All scenarios, in the order in which the page lists them. */
import type { Scenario } from '../simulation/scenario.js';
import { injection, smuggling, timeOut } from './attacks.js';
import { authenticationFails, authenticationSucceeds } from './authentication.js';
import { chunks, partialRecipients, pipelining } from './extensions.js';
import { happyPath, textbook } from './first-steps.js';
import { startTls } from './start-tls.js';

export const scenarios: readonly Scenario[] = [
  happyPath,
  textbook,
  pipelining,
  partialRecipients,
  chunks,
  startTls,
  authenticationSucceeds,
  authenticationFails,
  timeOut,
  smuggling,
  injection,
];
