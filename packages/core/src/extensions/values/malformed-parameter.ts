/**
 * The reply to a parameter of MAIL or RCPT whose value is against its syntax (RFC 5321 §4.2.2, RFC 3463 §3.6).
 */
import type { Reply } from '../../wire/replies/reply.js';

/** @param text what the parameter takes; never what came, which is the peer's */
export function malformedParameter(text: string): Reply {
  return { code: 501, enhancedCode: '5.5.4', lines: [text] };
}
