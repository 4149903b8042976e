/**
 * XCLIENT (Postfix's XCLIENT_README): a trusted client, such as a proxy, says on whose behalf it speaks, and the
 * session starts anew as that client's. The command is the session's; see `client-attributes.ts` for its argument.
 */

import type { ServiceExtension } from '../contract/extension.js';
import { attributeNames } from './client-attributes.js';

export const xclient: ServiceExtension = {
  keyword: 'XCLIENT',
  offer: ({ trusted }) => (trusted ? attributeNames('XCLIENT').join(' ') : undefined),
};
