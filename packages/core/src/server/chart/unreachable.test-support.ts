/** Transitions of the server's chart that no session can take, and why. */
export const unreachable: Readonly<Record<string, string>> = {
  ...each(
    'Nobody was asked whether to let them in, and a mechanism that says so all the same is at fault',
    'session.ready|command.AUTH|12',
    'session.authenticating.judging|rejected|5',
  ),
  ...each(
    'Only a failed computation, or a refusal by 4yz, leaves an exchange undecided',
    'session.ready|command.AUTH|15',
    'session.authenticating.challenged|response|7',
    'session.authenticating.judging|accepted|7',
    'session.authenticating.retrieving|accepted|7',
  ),
  ...each(
    'ETRN is not taken in a mail transaction, nor before EHLO',
    'session.turning|accepted|0',
    'session.turning|accepted|1',
    'session.turning|accepted|2',
    'session.turning|accepted|4',
    'session.turning|rejected|1',
    'session.turning|rejected|2',
    'session.turning|rejected|3',
    'session.turning|rejected|5',
  ),
  ...each(
    'STARTTLS is not taken in a mail transaction, nor before EHLO',
    'session.permittingTls|rejected|1',
    'session.permittingTls|rejected|2',
    'session.permittingTls|rejected|3',
    'session.permittingTls|rejected|5',
  ),
  ...each(
    'What an extension brings is not taken before EHLO',
    'session.extending|accepted|4',
    'session.extending|rejected|5',
  ),
  ...each(
    'Before EHLO nobody has offered SMTPUTF8: no address that needs it is read',
    'session.greeted|command.MAIL|7',
  ),
  ...each(
    'Each command has a rule of its own in each state that takes commands; this one is for a command that gets none',
    'session|command.*|0',
    'session|command.*|1',
  ),
  ...each('One recipient at least may be accepted', 'session.transaction.opened|command.RCPT|4'),
  ...each(
    'SIZE is a parameter of MAIL, and without EHLO it has none',
    'session.greeted|command.MAIL|6',
    'session.transaction.opened|command.RCPT|0',
    'session.transaction.addressed|command.RCPT|0',
  ),
};

function each(reason: string, ...transitions: readonly string[]): Record<string, string> {
  return Object.fromEntries(transitions.map((transition) => [transition, reason]));
}
