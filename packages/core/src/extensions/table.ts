/**
 * The extension table: how a session asks the list of service extensions that it was given, what a server offers, and
 * the parameters of MAIL and RCPT both ways. Ours and an embedder's are alike in all that is asked.
 *
 * What a list of extensions comes to is worked out when it is first seen, and kept: a list must not change once it
 * was used. A server passes its standing as it was at the last EHLO: what was offered then holds until the next, as
 * AUTH does, whose parameter may be given by a client that has authenticated (RFC 4954 §5). So each extension is asked
 * for its offer once a standing.
 */
import { kindOf } from '../kind-of.js';
import { checkLimit } from '../option-checks.js';
import { isKnownVerb, type Parameter } from '../wire/commands/command.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ParameterRule, ServiceExtension, SessionStanding } from './contract/extension.js';
import type { MailParameters, RcptParameters } from './contract/parameters.js';
import { checkExtension } from './given-extension.js';
import { knownExtensions } from './lists.js';
import { ExtensionNotOfferedError } from './not-offered.js';
import { malformedParameter } from './values/malformed-parameter.js';

/** A parameter's rule, and whose it is. */
interface Row<Parameters> {
  readonly extension: ServiceExtension;
  readonly rule: ParameterRule<Parameters>;
}

/** The parameters of one verb. */
interface Rules<Parameters> {
  readonly rows: readonly Row<Parameters>[];
  /** More than one where an extension adds values to another's parameter. */
  readonly byKeyword: ReadonlyMap<string, readonly Row<Parameters>[]>;
  /** Of extensions that are not on the list: a client must not leave out silently what is essential. */
  readonly unlisted: readonly Row<Parameters>[];
}

interface ExtensionTable {
  readonly byKeyword: ReadonlyMap<string, ServiceExtension>;
  readonly mail: Rules<MailParameters>;
  readonly rcpt: Rules<RcptParameters>;
  readonly additionalMailOctets: number;
  readonly additionalRcptOctets: number;
  readonly verbs: ReadonlySet<string>;
  /** What was offered, by keyword. */
  readonly offers: WeakMap<SessionStanding, ReadonlyMap<string, string>>;
}

interface AnyParameters {
  readonly custom?: Readonly<Record<string, unknown>>;
}

function checkWord(what: string, word: string): string {
  if (/^[\dA-Z][\dA-Z-]*$/.test(word)) return word;
  throw new RangeError(
    `${JSON.stringify(word)} is no ${what}: it takes upper-case letters, digits and hyphens (RFC 5321 §4.1.2)`,
  );
}

function makeRules<Parameters>(
  extensions: readonly ServiceExtension[],
  unlisted: readonly ServiceExtension[],
  rulesOf: (extension: ServiceExtension) => readonly ParameterRule<Parameters>[] | undefined,
): Rules<Parameters> {
  const rowsOf = (extension: ServiceExtension): Row<Parameters>[] =>
    rulesOf(extension)?.map((rule) => ({ extension, rule })) ?? [];
  const rows = extensions.flatMap(rowsOf);
  const byKeyword = new Map<string, Row<Parameters>[]>();
  for (const row of rows) {
    const keyword = checkWord('parameter keyword', row.rule.keyword);
    byKeyword.set(keyword, [...(byKeyword.get(keyword) ?? []), row]);
  }
  return {
    rows,
    byKeyword,
    unlisted: unlisted.flatMap(rowsOf).filter(({ rule }) => rule.isEssential !== undefined),
  };
}

/** The verbs that the extensions add. Those of ours are read before any other, and would not be asked about. */
function makeVerbs(extensions: readonly ServiceExtension[]): ReadonlySet<string> {
  const owners = new Map<string, string>();
  for (const { keyword, verbs = [] } of extensions) {
    for (const verb of verbs) {
      const added = checkWord('verb', verb);
      if (isKnownVerb(added)) {
        throw new RangeError(
          `The service extension ${keyword} adds the verb ${added}, which the session answers itself; ` +
            'give it another name',
        );
      }
      const other = owners.get(added);
      if (other !== undefined) {
        throw new RangeError(
          `The verb ${added} is listed twice, by the service extensions ${other} and ${keyword}; leave one out`,
        );
      }
      owners.set(added, keyword);
    }
  }
  return new Set(owners.keys());
}

function makeTable(extensions: readonly ServiceExtension[]): ExtensionTable {
  const byKeyword = new Map<string, ServiceExtension>();
  for (const extension of extensions) {
    checkExtension(extension);
    const keyword = checkWord('EHLO keyword', extension.keyword);
    if (byKeyword.has(keyword)) {
      throw new RangeError(`The service extension ${keyword} is listed twice; leave one out`);
    }
    byKeyword.set(keyword, extension);
  }
  checkRequirements(byKeyword);
  const unlisted = knownExtensions.filter(({ keyword }) => !byKeyword.has(keyword));
  return {
    byKeyword,
    mail: makeRules(extensions, unlisted, ({ mailParameters }) => mailParameters),
    rcpt: makeRules(extensions, unlisted, ({ rcptParameters }) => rcptParameters),
    additionalMailOctets: sumOf(extensions, 'additionalMailOctets'),
    additionalRcptOctets: sumOf(extensions, 'additionalRcptOctets'),
    verbs: makeVerbs(extensions),
    offers: new WeakMap(),
  };
}

/** Those that require each other would all be offered, or none: nobody could say. */
function checkRequirements(byKeyword: ReadonlyMap<string, ServiceExtension>): void {
  for (const keyword of byKeyword.keys()) {
    const seen = new Set<string>();
    for (let each: string | undefined = keyword; each !== undefined; each = byKeyword.get(each)?.requires) {
      if (seen.has(each)) {
        throw new RangeError(`The service extensions ${[...seen].join(', ')} require each other in a circle`);
      }
      seen.add(each);
    }
  }
}

function sumOf(
  extensions: readonly ServiceExtension[],
  name: 'additionalMailOctets' | 'additionalRcptOctets',
): number {
  return extensions.reduce(
    (sum, extension) =>
      sum + checkLimit(`${extension.keyword}.${name}`, extension[name] ?? 0, { least: 0, most: 65_536 }),
    0,
  );
}

const tables = new WeakMap<readonly ServiceExtension[], ExtensionTable>();

function tableOf(extensions: readonly ServiceExtension[]): ExtensionTable {
  let table = tables.get(extensions);
  if (table === undefined) {
    table = makeTable(extensions);
    tables.set(extensions, table);
  }
  return table;
}

/** What stands after the keywords in the reply to EHLO, for those that are offered. */
function offersOf(table: ExtensionTable, standing: SessionStanding): ReadonlyMap<string, string> {
  let offers = table.offers.get(standing);
  if (offers === undefined) {
    offers = makeOffers(table, standing);
    table.offers.set(standing, offers);
  }
  return offers;
}

function makeOffers({ byKeyword }: ExtensionTable, standing: SessionStanding): ReadonlyMap<string, string> {
  const offers = new Map<string, string>();
  for (const [keyword, { offer }] of byKeyword) {
    if (standing.withheld?.includes(keyword)) continue;
    const offered = offer === undefined ? '' : offer(standing);
    if (offered !== undefined) offers.set(keyword, checkOffer(keyword, offered));
  }
  const isComplete = (keyword: string): boolean => {
    const required = byKeyword.get(keyword)?.requires;
    return offers.has(keyword) && (required === undefined || isComplete(required));
  };
  return new Map([...offers].filter(([keyword]) => isComplete(keyword)));
}

/** It is a line of a reply: a line end in it, or what has to be folded, would make the rest a keyword of its own. */
function checkOffer(keyword: string, offer: string): string {
  if (typeof offer !== 'string') {
    throw new TypeError(
      `offer() of the service extension ${keyword} gave ${kindOf(offer)}; ` +
        'it takes a text, or undefined where it is not offered',
    );
  }
  if (offer.length <= MAXIMUM_OFFER_LENGTH - keyword.length && /^[ -~]*$/.test(offer)) return offer;
  throw new RangeError(
    `offer() of the service extension ${keyword} gave ${JSON.stringify(offer.slice(0, 100))}; ` +
      'it takes printable ASCII that fits into a reply line of 512 octets (RFC 5321 §4.1.1.1)',
  );
}

/** With the keyword (RFC 5321 §4.5.3.1.5). */
const MAXIMUM_OFFER_LENGTH = 512 - '250- \r\n'.length;

/**
 * The lines of the reply to EHLO after the first (RFC 5321 §4.1.1.1).
 * @throws {RangeError} as every function here does for a list with an extension or a verb twice, with a verb of ours,
 *   with malformed keywords or numbers, or with extensions that require each other; an extension offers what no line can hold
 * @throws {TypeError} an extension offers what is no text
 * @throws what the `offer()` of an extension throws
 */
export function offeredKeywords(
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): string[] {
  const offers = offersOf(tableOf(extensions), standing);
  return extensions.flatMap(({ keyword, hidden }) => {
    const offer = offers.get(keyword);
    if (offer === undefined || hidden) return [];
    return [offer === '' ? keyword : `${keyword} ${offer}`];
  });
}

/** Whether the server's reply to EHLO has the keyword (in upper case). */
export function isOffered(
  extensions: readonly ServiceExtension[],
  keyword: string,
  standing: SessionStanding,
): boolean {
  return offersOf(tableOf(extensions), standing).has(keyword);
}

/** Octets that a MAIL command line may be longer than any other, all extensions together. */
export function additionalMailOctets(extensions: readonly ServiceExtension[]): number {
  return tableOf(extensions).additionalMailOctets;
}

/** Octets that a RCPT command line may be longer than any other, all extensions together. */
export function additionalRcptOctets(extensions: readonly ServiceExtension[]): number {
  return tableOf(extensions).additionalRcptOctets;
}

/** The verbs that the extensions add. */
export function customVerbs(extensions: readonly ServiceExtension[]): ReadonlySet<string> {
  return tableOf(extensions).verbs;
}

/** RFC 5321 §4.1.1.11: a parameter that no offered extension defines. */
export function unknownParameter(keyword: string, verb: 'MAIL' | 'RCPT'): Reply {
  const text = `${keyword.slice(0, 64)} is not a parameter of ${verb} that was offered`;
  return { code: 555, enhancedCode: '5.5.4', lines: [text] };
}

function isReply(read: object): read is Reply {
  return 'code' in read;
}

/**
 * What a rule throws refuses the value. It is the peer's value that such a rule stumbles on, as `BigInt('twelve')`
 * does, and a session has no way to tell an error but the reply; nor may the reply quote it, for it may quote the value.
 */
function parseValue<Parameters>(
  rule: ParameterRule<Parameters>,
  value: string | undefined,
  standing: SessionStanding,
): Parameters | Reply {
  try {
    return rule.parse(value, standing);
  } catch {
    return malformedParameter(`${rule.keyword.slice(0, 64)} does not take this value`);
  }
}

function readParameter<Parameters extends AnyParameters>(
  { keyword, value }: Parameter,
  table: ExtensionTable,
  rules: Rules<Parameters>,
  standing: SessionStanding,
  verb: 'MAIL' | 'RCPT',
): Parameters | Reply {
  let refusal: Reply | undefined;
  for (const { extension, rule } of rules.byKeyword.get(keyword) ?? []) {
    if (!offersOf(table, standing).has(extension.keyword)) continue;
    const read = parseValue(rule, value, standing);
    if (!isReply(read)) return read;
    refusal = read;
  }
  return refusal ?? unknownParameter(keyword, verb);
}

/** @param typed empty; it is filled property by property, which costs a tenth of what spreading does */
function readParameters<Parameters extends AnyParameters>(
  parameters: readonly Parameter[],
  table: ExtensionTable,
  rules: Rules<Parameters>,
  standing: SessionStanding,
  verb: 'MAIL' | 'RCPT',
  typed: Parameters,
): { readonly parameters: Parameters } | { readonly refusal: Reply } {
  let custom: AnyParameters['custom'];
  for (const parameter of parameters) {
    const read = readParameter(parameter, table, rules, standing, verb);
    if (isReply(read)) return { refusal: read };
    for (const name in read) {
      if (name === 'custom') {
        custom = { ...custom, ...read.custom };
      } else if (name in typed) {
        // Two that mean the same thing, as HOLDFOR and HOLDUNTIL do (RFC 4865 §4.2).
        const other = parameters.find((one) => name in readParameter(one, table, rules, standing, verb));
        const text = `${other?.keyword} and ${parameter.keyword} exclude each other`;
        return { refusal: malformedParameter(text) };
      } else {
        typed[name] = read[name];
      }
    }
  }
  return { parameters: custom === undefined ? typed : { ...typed, custom } };
}

/**
 * The parameters of a MAIL command in typed form, or the reply that refuses them.
 * @param standing as at the last EHLO
 */
export function readMailParameters(
  parameters: readonly Parameter[],
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): { readonly parameters: MailParameters } | { readonly refusal: Reply } {
  const table = tableOf(extensions);
  return readParameters(parameters, table, table.mail, standing, 'MAIL', {});
}

/**
 * The parameters of a RCPT command in typed form, or the reply that refuses them.
 * @param standing as at the last EHLO
 */
export function readRcptParameters(
  parameters: readonly Parameter[],
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): { readonly parameters: RcptParameters } | { readonly refusal: Reply } {
  const table = tableOf(extensions);
  return readParameters(parameters, table, table.rcpt, standing, 'RCPT', {});
}

function writeParameters<Parameters>(
  parameters: Parameters,
  { rows, unlisted }: Rules<Parameters>,
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  const written: Parameter[] = [];
  for (const { extension, rule } of rows) {
    const offered = keywords.get(extension.keyword);
    if (offered === undefined || (extension.requires !== undefined && !keywords.has(extension.requires))) {
      if (rule.isEssential?.(parameters)) throw new ExtensionNotOfferedError(extension.keyword);
      continue;
    }
    const value = rule.format(parameters, offered);
    if (value === true) written.push({ keyword: rule.keyword });
    else if (value !== undefined) written.push({ keyword: rule.keyword, value });
  }
  for (const { extension, rule } of unlisted) {
    if (rule.isEssential?.(parameters)) throw new ExtensionNotOfferedError(extension.keyword);
  }
  return written;
}

/**
 * The parameters that a client sends with MAIL: those of which the server offered the extension.
 * @param keywords from the reply to the last EHLO
 * @throws {ExtensionNotOfferedError} the mail must not be sent without one that was not offered
 * @throws {RangeError} a value cannot be written
 */
export function writeMailParameters(
  parameters: MailParameters,
  extensions: readonly ServiceExtension[],
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  return writeParameters(parameters, tableOf(extensions).mail, keywords);
}

/**
 * The parameters that a client sends with RCPT: those of which the server offered the extension.
 * @param keywords from the reply to the last EHLO
 * @throws {ExtensionNotOfferedError} the mail must not be sent to this recipient without one that was not offered
 * @throws {RangeError} a value cannot be written
 */
export function writeRcptParameters(
  parameters: RcptParameters,
  extensions: readonly ServiceExtension[],
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  return writeParameters(parameters, tableOf(extensions).rcpt, keywords);
}
