/**
 * XFORWARD (Postfix's XFORWARD_README): a trusted client, such as a content filter, says from where the message
 * came to it, for logs and filters; it gains nothing by it. The command is the session's; see
 * `client-attributes.ts` for its argument.
 */

import type { ServiceExtension } from '../contract/extension.js';
import { attributeNames } from './client-attributes.js';

export const xforward: ServiceExtension = {
  keyword: 'XFORWARD',
  offer: ({ trusted }) => (trusted ? attributeNames('XFORWARD').join(' ') : undefined),
};
