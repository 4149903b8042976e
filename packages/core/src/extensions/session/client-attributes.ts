/**
 * The attributes of XCLIENT and XFORWARD (Postfix's XCLIENT_README and XFORWARD_README): what a trusted client says
 * of another one. Values are xtext. No control characters pass, and in names none of white space and of the
 * characters that are special in header fields; HELO and LOGIN hold what the client said, to be escaped where it is
 * written.
 */
import { isAddressLiteral } from '../../wire/commands/domain.js';
import type { Reply } from '../../wire/replies/reply.js';
import { malformedParameter } from '../values/malformed-parameter.js';
import { decodeXtext, encodeXtext } from '../values/xtext.js';

/** The commands that take attributes. */
export type AttributeVerb = 'XCLIENT' | 'XFORWARD';

/** Whoever tells does not know it: `[UNAVAILABLE]`, or `[TEMPUNAVAIL]` where looking it up failed for now. */
export interface Unavailable {
  readonly unavailable: 'permanently' | 'temporarily';
}

/** What a trusted client says of another one. An attribute that is absent was not told. */
export interface ClientAttributes {
  /** NAME: the client's host name. */
  readonly name?: string | Unavailable;
  /** ADDR: the client's address, IPv4 or IPv6, without the prefix that it has on the wire. */
  readonly address?: string | Unavailable;
  /** PORT: the client's port. */
  readonly port?: number | Unavailable;
  /** PROTO: `SMTP` or `ESMTP`; with XFORWARD any protocol's name, of 64 characters at most. */
  readonly protocol?: string | Unavailable;
  /** HELO: how the client introduced itself. */
  readonly helo?: string | Unavailable;
  /** LOGIN: as whom the client is authenticated (XCLIENT). */
  readonly login?: string | Unavailable;
  /** DESTADDR: the address to which the client connected (XCLIENT). */
  readonly destinationAddress?: string | Unavailable;
  /** DESTPORT: the port to which the client connected (XCLIENT). */
  readonly destinationPort?: number | Unavailable;
  /** IDENT: the message's identifier on the host that forwards it (XFORWARD). */
  readonly identifier?: string | Unavailable;
  /** SOURCE: whether the message came from within the forwarding site (XFORWARD). */
  readonly source?: 'LOCAL' | 'REMOTE' | Unavailable;
}

/** The longest value, before it is decoded. */
const MAXIMUM_VALUE_LENGTH = 255;

interface AttributeRow {
  readonly name: string;
  readonly verbs: readonly AttributeVerb[];
  readonly takes: string;
  /** Undefined: the value is none. */
  read(text: string): ClientAttributes | undefined;
  /** Undefined: there is nothing to say. */
  write(attributes: ClientAttributes): string | undefined;
}

function isUnavailable(value: string | number | Unavailable): value is Unavailable {
  return typeof value === 'object';
}

function readUnavailable(text: string): Unavailable | undefined {
  const upperCase = text.toUpperCase();
  if (upperCase === '[UNAVAILABLE]') return { unavailable: 'permanently' };
  return upperCase === '[TEMPUNAVAIL]' ? { unavailable: 'temporarily' } : undefined;
}

interface ValueRule<Value> {
  readonly takes: string;
  parse(text: string): Value | undefined;
  format(value: Value): string;
}

type Value<Key extends keyof ClientAttributes> = Exclude<NonNullable<ClientAttributes[Key]>, Unavailable>;

function row<Key extends keyof ClientAttributes>(
  name: string,
  verbs: readonly AttributeVerb[],
  key: Key,
  { takes, parse, format }: ValueRule<Value<Key>>,
): AttributeRow {
  return {
    name,
    verbs,
    takes,
    read(text) {
      const value = readUnavailable(text) ?? parse(text);
      return value === undefined ? undefined : { [key]: value };
    },
    write(attributes) {
      const value: string | number | Unavailable | undefined = attributes[key];
      if (value === undefined) return undefined;
      if (!isUnavailable(value)) return format(value as Value<Key>);
      return value.unavailable === 'permanently' ? '[UNAVAILABLE]' : '[TEMPUNAVAIL]';
    },
  };
}

/** Characters that Postfix replaces as well: they would be syntax in a header field. */
const token: ValueRule<string> = {
  takes: 'printable ASCII without spaces and <>()\\";@',
  parse: (text) => (/^[!-~]+$/.test(text) && !/[<>()\\";@]/.test(text) ? text : undefined),
  format: (value) => value,
};

/** User names are often mail addresses, and EHLO takes about anything, too. */
const printable: ValueRule<string> = {
  takes: 'text without control characters',
  parse: (text) => (/^[^\p{Cc}]+$/u.test(text) ? text : undefined),
  format: (value) => value,
};

const address: ValueRule<string> = {
  takes: 'an IPv4 address, or IPV6: and an IPv6 address',
  parse(text) {
    if (/^[\d.]+$/.test(text) && isAddressLiteral(`[${text}]`)) return text;
    return /^ipv6:/i.test(text) && isAddressLiteral(`[${text}]`) ? text.slice('IPV6:'.length) : undefined;
  },
  format: (value) => (value.includes(':') ? `IPV6:${value}` : value),
};

const port: ValueRule<number> = {
  takes: 'a port of 0 to 65535',
  parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  format: String,
};

const smtpProtocol: ValueRule<string> = {
  takes: 'SMTP or ESMTP',
  parse: (text) => (/^E?SMTP$/i.test(text) ? text.toUpperCase() : undefined),
  format: (value) => value,
};

const anyProtocol: ValueRule<string> = {
  takes: "a protocol's name of 64 characters at most",
  parse: (text) => (text.length <= 64 ? token.parse(text) : undefined),
  format: (value) => value,
};

const source: ValueRule<'LOCAL' | 'REMOTE'> = {
  takes: 'LOCAL or REMOTE',
  parse(text) {
    const upperCase = text.toUpperCase();
    return upperCase === 'LOCAL' || upperCase === 'REMOTE' ? upperCase : undefined;
  },
  format: (value) => value,
};

const BOTH = ['XCLIENT', 'XFORWARD'] as const;
const XCLIENT = ['XCLIENT'] as const;
const XFORWARD = ['XFORWARD'] as const;

const ROWS: readonly AttributeRow[] = [
  row('NAME', BOTH, 'name', token),
  row('ADDR', BOTH, 'address', address),
  row('PORT', BOTH, 'port', port),
  row('PROTO', XCLIENT, 'protocol', smtpProtocol),
  row('PROTO', XFORWARD, 'protocol', anyProtocol),
  row('HELO', BOTH, 'helo', printable),
  row('LOGIN', XCLIENT, 'login', printable),
  row('DESTADDR', XCLIENT, 'destinationAddress', address),
  row('DESTPORT', XCLIENT, 'destinationPort', port),
  row('IDENT', XFORWARD, 'identifier', token),
  row('SOURCE', XFORWARD, 'source', source),
];

function rowsOf(verb: AttributeVerb): readonly AttributeRow[] {
  return ROWS.filter(({ verbs }) => verbs.includes(verb));
}

/** The attributes that a command takes, as they stand behind its keyword in the reply to EHLO. */
export function attributeNames(verb: AttributeVerb): string[] {
  return rowsOf(verb).map(({ name }) => name);
}

/**
 * The attributes that stand behind XCLIENT or XFORWARD, or the 501 that refuses them. Names may be in any case. What
 * one command says adds to what earlier ones said.
 */
export function parseClientAttributes(argument: string, verb: AttributeVerb): ClientAttributes | Reply {
  const rows = rowsOf(verb);
  const seen = new Set<AttributeRow>();
  let attributes: ClientAttributes = {};
  for (const word of argument.trim().split(/ +/)) {
    const equals = word.indexOf('=');
    const raw = word.slice(equals + 1);
    if (equals < 1 || raw === '') return malformedParameter(`Syntax: ${verb} attribute=value...`);
    const written = word.slice(0, equals).toUpperCase();
    const attribute = rows.find(({ name }) => name === written);
    if (attribute === undefined) {
      return malformedParameter(`${verb} takes the attributes ${attributeNames(verb).join(' ')}`);
    }
    if (seen.has(attribute)) return malformedParameter(`${attribute.name} is given more than once`);
    seen.add(attribute);

    const text = raw.length <= MAXIMUM_VALUE_LENGTH ? decodeXtext(raw) : undefined;
    const read = text === undefined ? undefined : attribute.read(text);
    if (read === undefined) {
      return malformedParameter(
        `${attribute.name} takes ${attribute.takes}, as xtext of ${MAXIMUM_VALUE_LENGTH} characters at most, or [UNAVAILABLE]`,
      );
    }
    attributes = { ...attributes, ...read };
  }
  return attributes;
}

/**
 * The argument of XCLIENT or XFORWARD, empty if there is nothing to say. Attributes that the server does not take
 * are left out. A command line has 512 octets: what is longer takes several commands, one with `address` last,
 * because it may end the client's right to send more of them.
 *
 * @param offered the names behind the keyword in the server's reply to EHLO
 * @throws {RangeError} an attribute cannot be written
 */
export function formatClientAttributes(
  attributes: ClientAttributes,
  verb: AttributeVerb,
  offered: string,
): string {
  const names = offered.toUpperCase().split(' ');
  return rowsOf(verb)
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, takes, read, write }) => {
      const text = write(attributes);
      if (text === undefined) return [];
      const value = encodeXtext(text);
      if (read(text) !== undefined && value.length <= MAXIMUM_VALUE_LENGTH) return [`${name}=${value}`];
      throw new RangeError(
        `${JSON.stringify(text)} is no value for ${name} of ${verb}: it takes ${takes}, ${MAXIMUM_VALUE_LENGTH} ` +
          'characters at most as xtext',
      );
    })
    .join(' ');
}
