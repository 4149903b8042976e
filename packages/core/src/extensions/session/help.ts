/**
 * HELP (RFC 5321 §4.1.1.1): says that the HELP command is served. It adds nothing else.
 */
import type { ServiceExtension } from '../contract/extension.js';

export const help: ServiceExtension = { keyword: 'HELP' };
