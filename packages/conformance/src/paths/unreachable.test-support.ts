/** The transitions of the server's chart that the paths do not take, each with the reason. */

export interface Unreachable {
  /** Identifiers of transitions. */
  readonly transitions: RegExp;
  readonly reason: string;
}

export const unreachable: readonly Unreachable[] = [
  {
    transitions: /^session\|command\.\*\|/,
    reason:
      'Every verb has a transition of its own wherever a command may come: this one is for verbs to come.',
  },
  {
    transitions:
      /^session\.(?:greeted\|command\.MAIL\|6|transaction\.(?:opened|addressed)\|command\.RCPT\|0)$/,
    reason: 'SIZE is a parameter of MAIL (RFC 1870 §3), and without EHLO it has none.',
  },
  {
    transitions: /^session\.greeted\|command\.MAIL\|7$/,
    reason: 'Before EHLO nobody has offered SMTPUTF8: no address that needs it is read.',
  },
  {
    transitions: /^session\.transaction\.opened\|command\.RCPT\|4$/,
    reason: 'One recipient at least may be accepted.',
  },
  {
    transitions: /^session\.turning\|(?:accepted\|[0124]|rejected\|[1235])$/,
    reason: 'ETRN is not taken in a mail transaction, nor before EHLO.',
  },
  {
    transitions: /^session\.extending\|(?:accepted\|4|rejected\|5)$/,
    reason: 'What an extension brings is not taken before EHLO.',
  },
  {
    transitions: /^session\.permittingTls\|(?:rejected\|\d|after decision\|0)$/,
    reason:
      'The driver decides by the stream alone, at once: it does not offer STARTTLS where the stream cannot start TLS.',
  },
  {
    transitions: /^session\.securing\|(?:plaintext|tlsFailed)\|0$/,
    reason:
      'A stream in memory takes nothing in the clear between the 220 and the handshake, and closes when that fails: a lost connection.',
  },
  {
    transitions: /^session\.authenticating\.(?:computing|retrieving)\|/,
    reason:
      'PLAIN and LOGIN, which the paths speak, neither compute nor retrieve: SCRAM and CRAM-MD5 do, whose clients answer what they are told.',
  },
  {
    transitions: /^session\.(?:ready\|command\.AUTH|authenticating\.challenged\|response)\|/,
    reason: 'What comes next is for the mechanism to say: PLAIN and LOGIN do not come to it here.',
  },
  {
    transitions: /^session\.authenticating\.judging\|(?:accepted|rejected)\|/,
    reason: 'Once somebody has decided, PLAIN and LOGIN ask nothing more.',
  },
];

/** Why a transition is not taken; undefined: it has to be. */
export const reasonFor = (transition: string): string | undefined =>
  unreachable.find(({ transitions }) => transitions.test(transition))?.reason;
