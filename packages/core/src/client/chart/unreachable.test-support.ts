/** Transitions of the client's chart that no session can take, and why. */
export const unreachable: Readonly<Record<string, string>> = {
  ...each(
    'HELO has no reply that offers anything (RFC 5321 §4.1.4)',
    'session.fallingBack|reply.success|0',
    'session.fallingBack|reply.success|2',
    'session.fallingBack|reply.success|4',
    'session.fallingBack|reply.success|7',
  ),
  'session.transaction.addressing|reply.success|3':
    'A recipient that is accepted is followed by DATA or BDAT',
};

function each(reason: string, ...transitions: readonly string[]): Record<string, string> {
  return Object.fromEntries(transitions.map((transition) => [transition, reason]));
}
