/**
 * From a client's line to a command: parses it, asks whether the extension that the command belongs to was offered,
 * and types the parameters. Whether the command is legal now, the chart says.
 *
 * What was offered is what stood in the reply to the last EHLO: a client cannot know of anything else, and what
 * came before STARTTLS counts for nothing (RFC 5321 §2.2.1, RFC 3207 §4.2).
 */
import type { ServiceExtension, SessionStanding } from '../../extensions/contract/extension.js';
import type { MailParameters, RcptParameters } from '../../extensions/contract/parameters.js';
import {
  additionalMailOctets,
  additionalRcptOctets,
  customVerbs,
  isOffered,
  readMailParameters,
  readRcptParameters,
  unknownParameter,
} from '../../extensions/table.js';
import { type Command, MAXIMUM_AUTHENTICATION_OCTETS, type Parameter } from '../../wire/commands/command.js';
import { ordinaryCommand } from '../../wire/commands/ordinary-command.js';
import { type CommandGrammar, parseCommand } from '../../wire/commands/parse-command.js';
import type { ReversePath } from '../../wire/commands/path.js';
import type { InboundLine } from '../../wire/inbound.js';
import type { Reply } from '../../wire/replies/reply.js';
import { offeredMechanisms } from '../client/authentication.js';
import type { ClientIdentity } from '../client/client-identity.js';
import type { ResolvedServerOptions } from '../contract/options.js';
import type { Hello } from '../decisions/questions.js';
import { malformedLines, replies } from '../decisions/replies.js';
import {
  NOTHING_WITHHELD,
  type ResolvedWithheld,
  resolveWithheld,
  type Withheld,
} from '../decisions/withholding.js';
import type { Introductions, Offer } from '../replying/introductions.js';

/** A line that is no command, or one that is not there for this client. */
export interface Refused {
  readonly refusal: Reply;
  /** Nobody can tell where the next command begins. */
  readonly fatal?: true;
  /** The verb, where the line has one and only its argument is wrong. */
  readonly verb?: Command['verb'] | undefined;
  /** It is a MAIL or RCPT whose address is wrong. */
  readonly aboutAddress?: true | undefined;
  /** Octets behind the line that are no command (RFC 3030 §2). */
  readonly octetsBehind: number;
}

/** The EHLO keywords of the extensions that commands belong to, by verb. */
const KEYWORDS = {
  STARTTLS: 'STARTTLS',
  AUTH: 'AUTH',
  BDAT: 'CHUNKING',
  ETRN: 'ETRN',
  XCLIENT: 'XCLIENT',
  XFORWARD: 'XFORWARD',
} as const;

const CRLF_OCTETS = 2;

/** What follows from the options alone, and so is the same for all sessions that have them. */
export interface CommandRules {
  /** The longest line that is any command at all, in octets. */
  readonly longestLine: number;
  /** What extensions add to the longest MAIL and RCPT. */
  readonly mailOctets: number;
  readonly rcptOctets: number;
  /** Until SMTPUTF8 was offered. */
  readonly grammar: CommandGrammar;
}

export function commandRules({
  extensions,
  maximumCommandLength,
  authentication,
  lenient,
}: ResolvedServerOptions): CommandRules {
  const mailOctets = additionalMailOctets(extensions);
  const rcptOctets = additionalRcptOctets(extensions);
  return {
    longestLine: Math.max(
      maximumCommandLength + Math.max(mailOctets, rcptOctets),
      authentication === undefined ? 0 : MAXIMUM_AUTHENTICATION_OCTETS,
    ),
    mailOctets,
    rcptOctets,
    grammar: { utf8: false, lenient, extensionVerbs: customVerbs(extensions) },
  };
}

export class CommandReading {
  readonly #options: ResolvedServerOptions;
  readonly #introductions: Introductions;
  readonly #rules: CommandRules;
  #grammar: CommandGrammar;
  /** EHLO, HELO or LHLO was accepted. */
  #introduced = false;
  /** As it was when EHLO was answered last; undefined where no extension was offered. */
  #offered: SessionStanding | undefined;
  /** What the application would not have offered then. */
  #withheld = NOTHING_WITHHELD;
  /** XCLIENT and XFORWARD may be used. */
  #trusted: boolean;

  constructor(options: ResolvedServerOptions, introductions: Introductions, rules: CommandRules) {
    this.#options = options;
    this.#introductions = introductions;
    this.#rules = rules;
    this.#grammar = rules.grammar;
    this.#trusted = options.trusted;
  }

  get #extensions(): readonly ServiceExtension[] {
    return this.#options.extensions;
  }

  /**
   * What EHLO, HELO or LHLO would be offered now.
   * @param withhold what the application withholds from this client
   * @throws what an extension makes impossible to offer, see `offeredKeywords`
   * @throws what is none to withhold, see `resolveWithheld`
   */
  offerTo(verb: Hello['verb'], client: ClientIdentity, withhold: Withheld | undefined): Offer {
    const mechanisms = this.#options.authentication?.mechanisms ?? [];
    const withheld = resolveWithheld(withhold, this.#extensions, mechanisms);
    if (verb === 'HELO') return this.#introductions.offerToHelo(withheld);
    return this.#introductions.offerTo(this.#standing(client, withheld), withheld);
  }

  /** EHLO, HELO or LHLO was accepted, and this was offered. */
  offer({ standing, withheld }: Offer): void {
    this.#introduced = true;
    this.#withheld = withheld;
    this.#setOffered(standing);
  }

  /** What was offered counts for nothing any more, until the next EHLO (RFC 3207 §4.2). */
  forget(): void {
    this.#introduced = false;
    this.#withheld = NOTHING_WITHHELD;
    this.#setOffered(undefined);
  }

  /** The SASL mechanisms that this client is not to have. */
  get withheldMechanisms(): readonly string[] {
    return this.#withheld.mechanisms;
  }

  /** The peer speaks for somebody else from here on: its words are theirs, and they may not speak for others. */
  distrust(): void {
    this.#trusted = false;
  }

  /** The command that the line spells, or why it is none. */
  read(line: InboundLine): Command | Refused {
    if (line.kind !== 'line') {
      const verb = verbAt(line.beginning);
      if (line.kind !== 'malformed') return { ...tooLong(verb), ...(verb === 'BDAT' && { fatal: true }) };
      return {
        refusal: malformedLines[line.bare],
        octetsBehind: 0,
        ...(verb === 'BDAT' && { fatal: true }),
      };
    }

    const length = line.octets.length + CRLF_OCTETS;
    // Nothing of these depends on what was offered, or has a limit of its own.
    const ordinary = length <= this.#options.maximumCommandLength ? ordinaryCommand(line.octets) : undefined;
    if (ordinary !== undefined) return ordinary;
    const command = parseCommand(line.octets, this.#grammar);
    if ('failure' in command) {
      if (command.failure === 'unframed' || verbAt(line.octets) === 'BDAT') {
        return { refusal: command.reply, fatal: true, octetsBehind: 0 };
      }
      if (length > this.#limit(command.verb)) return tooLong(command.verb);
      const absent = command.verb && this.#absence(command.verb);
      return {
        refusal: absent ?? command.reply,
        octetsBehind: 0,
        verb: command.verb,
        aboutAddress: command.aboutAddress,
      };
    }
    const { verb } = command;
    const octetsBehind = verb === 'BDAT' ? command.size : 0;
    if (length > this.#limit(verb)) return { ...tooLong(verb), octetsBehind };
    const absent = verb === 'extension' ? this.#absenceOfVerb(command.name) : this.#absence(verb);
    return absent === undefined ? command : { refusal: absent, octetsBehind, verb };
  }

  /** The parameters of a MAIL command, or the reply that refuses them. */
  mailParameters(
    command: Command & { verb: 'MAIL' },
  ): { readonly parameters: MailParameters } | { readonly refusal: Reply } {
    const { parameters, reversePath } = command;
    const [first] = parameters;
    if (first === undefined) {
      return this.#grammar.utf8 && !areAscii(reversePath, parameters) ? NEEDS_UTF8 : NO_PARAMETERS;
    }
    if (this.#offered === undefined) return { refusal: unknownParameter(first.keyword, 'MAIL') };
    const read = readMailParameters(parameters, this.#extensions, this.#offered);
    if ('parameters' in read && !read.parameters.smtpUtf8 && !areAscii(reversePath, parameters)) {
      return NEEDS_UTF8;
    }
    return read;
  }

  /** The parameters of a RCPT command, or the reply that refuses them. */
  rcptParameters(
    command: Command & { verb: 'RCPT' },
    transaction: MailParameters,
  ): { readonly parameters: RcptParameters } | { readonly refusal: Reply } {
    const { parameters, forwardPath } = command;
    if (this.#grammar.utf8 && !transaction.smtpUtf8 && !areAscii(forwardPath, parameters)) {
      return { refusal: replies.recipientNeedsUtf8 };
    }
    const [first] = parameters;
    if (first === undefined) return NO_PARAMETERS;
    if (this.#offered === undefined) return { refusal: unknownParameter(first.keyword, 'RCPT') };
    return readRcptParameters(parameters, this.#extensions, this.#offered);
  }

  #setOffered(offered: SessionStanding | undefined): void {
    this.#offered = offered;
    this.#grammar = { ...this.#rules.grammar, utf8: this.#wasOffered('SMTPUTF8') };
  }

  #standing(client: ClientIdentity, withheld: ResolvedWithheld): SessionStanding {
    const { protocol, maximumMessageSize, maximumRecipients, startTls } = this.#options;
    const secured = client.tls !== undefined;
    return {
      protocol,
      maximumMessageSize,
      maximumRecipients,
      startTls: startTls !== 'none' && !secured,
      secured,
      mechanisms: offeredMechanisms(this.#options, client, withheld.mechanisms),
      trusted: this.#trusted,
      withheld: withheld.extensions,
    };
  }

  /** The longest line of this command with its CRLF: what extensions add, they add once they were offered. */
  #limit(verb: Command['verb'] | undefined): number {
    const { maximumCommandLength } = this.#options;
    if (verb === 'AUTH') return Math.max(maximumCommandLength, MAXIMUM_AUTHENTICATION_OCTETS);
    if (this.#offered === undefined) return maximumCommandLength;
    if (verb === 'MAIL') return maximumCommandLength + this.#rules.mailOctets;
    if (verb === 'RCPT') return maximumCommandLength + this.#rules.rcptOctets;
    return maximumCommandLength;
  }

  #wasOffered(keyword: string): boolean {
    return this.#offered !== undefined && isOffered(this.#extensions, keyword, this.#offered);
  }

  /** The reply that says that this command is not there for this client. */
  #absence(verb: Command['verb']): Reply | undefined {
    const { protocol, startTls, tls, authentication } = this.#options;
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return protocol === 'lmtp' ? replies.lmtpSpoken : undefined; // RFC 2033 §4.1
      case 'LHLO':
        return protocol === 'lmtp' ? undefined : replies.unrecognized;
      case 'STARTTLS':
        // Over TLS it is a command at the wrong time (RFC 3207 §4.2), which the chart says.
        if (startTls === 'none' && tls === undefined) return replies.notOffered;
        // Whether it was offered, the extension on the list says; it counts as long as there is no TLS.
        if (this.#offered?.secured === false && !this.#wasOffered(verb)) return replies.notOffered;
        return this.#absenceOfListed(verb);
      case 'AUTH':
        // Whether there is a mechanism for it now, the session says (RFC 4954 §6).
        return authentication === undefined ? replies.notOffered : this.#absenceOfListed(verb);
      case 'XCLIENT':
      case 'XFORWARD':
        if (!this.#isListed(KEYWORDS[verb])) return replies.notOffered;
        return this.#trusted ? undefined : replies.notTrusted;
      case 'BDAT':
      case 'ETRN':
        // Before EHLO the chart asks for it first.
        return !this.#introduced || this.#wasOffered(KEYWORDS[verb]) ? undefined : replies.notOffered;
      default:
        return undefined;
    }
  }

  /** Of commands that may be offered now and not then, which the chart knows about. */
  #absenceOfListed(verb: 'STARTTLS' | 'AUTH'): Reply | undefined {
    if (!this.#isListed(KEYWORDS[verb])) return replies.notOffered;
    return this.#introduced && this.#offered === undefined ? replies.extendedHelloFirst : undefined;
  }

  /** Whether it is on the list for this client. */
  #isListed(keyword: string): boolean {
    if (this.#withheld.extensions.includes(keyword)) return false;
    return this.#extensions.some((extension) => extension.keyword === keyword);
  }

  #absenceOfVerb(name: string): Reply | undefined {
    if (!this.#introduced) return undefined;
    const extension = this.#extensions.find(({ verbs }) => verbs?.includes(name));
    return extension !== undefined && this.#wasOffered(extension.keyword) ? undefined : replies.notOffered;
  }
}

const NO_PARAMETERS = { parameters: {} } as const;
const NEEDS_UTF8 = { refusal: replies.senderNeedsUtf8 } as const;

/**
 * The verb of a line that is no command, or not known to be one, as far as it matters: behind BDAT octets follow that
 * are no commands, however wrong the line is (RFC 3030 §2). A verb ends where no other could go on.
 */
function verbAt(beginning: Uint8Array): 'BDAT' | 'AUTH' | 'MAIL' | 'RCPT' | undefined {
  const text = String.fromCharCode(...beginning.subarray(0, 5));
  const verb = /^(?:BDAT|AUTH|MAIL|RCPT)(?![\dA-Z-])/i.exec(text)?.[0];
  return verb?.toUpperCase() as 'BDAT' | 'AUTH' | 'MAIL' | 'RCPT' | undefined;
}

/** Of MAIL and RCPT it is the address that has no room: as little an attack as one that is wrong. */
function tooLong(verb: Command['verb'] | undefined): Refused {
  const refusal = verb === 'AUTH' ? replies.authenticationLineTooLong : replies.lineTooLong;
  if (verb !== 'MAIL' && verb !== 'RCPT') return { refusal, octetsBehind: 0 };
  return { refusal, octetsBehind: 0, verb, aboutAddress: true };
}

/** Whether all of a MAIL or RCPT may stand where SMTPUTF8 was not asked for (RFC 6531 §3.4). */
function areAscii(path: ReversePath, parameters: readonly Parameter[]): boolean {
  return isAscii(path?.localPart) && isAscii(path?.domain) && parameters.every(({ value }) => isAscii(value));
}

function isAscii(text = ''): boolean {
  return /^[ -~]*$/.test(text);
}
